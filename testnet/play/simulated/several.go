package simulated

import (
	"context"
	"iter"
	"time"

	"tagma/testnet/across/worlds"
	"tagma/testnet/check"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
)

// several implements play.Several: worlds under one clock.
type several struct {
	s       *scenario.Scenario
	host    *worlds.Host
	members []*member
	over    bool // a violation ended the run
	end     func() error
}

// member is one of several clusters.
type member struct {
	*cluster
	all   *several
	yield func(time.Duration) bool // hands control to the other clusters until something may have changed
	calm  bool                     // every event has happened
	extra int                      // operations of the transactions that were acknowledged
}

// StartSeveral implements play.Engine.
func (e Engine) StartSeveral(ctx context.Context, s *scenario.Scenario, _ string, t play.Trace, show play.Show) (_ play.Several, err error) {
	longest := time.Duration(0)
	for _, c := range s.Clusters {
		longest = max(longest, c.ViewTimeout())
	}
	all := &several{s: s, host: worlds.New(play.AcrossOf(s, false), 4*longest+time.Second)}
	write, done, err := traceOf(s, t)
	if err != nil {
		return nil, err
	}
	all.end = done
	var machines []string
	for _, one := range s.Clusters {
		c, err := start(one, write, t.Hear, func(o *sim.Options) {
			o.Cluster = one.Name
			all.host.Prepare(o)
		}, show)
		if err != nil {
			return nil, err
		}
		all.host.Add(c.w)
		all.members = append(all.members, &member{cluster: c, all: all})
		machines = append(machines, one.Machine)
	}
	all.host.Acted = func(group int, o *sim.Operation) {
		m := all.members[group]
		m.cluster.Work() // so that acknowledgements stand in the order of their times
		m.acks = append(m.acks, play.Ack{At: o.Returned, Took: o.Returned - o.Invoked})
		m.extra++
	}
	all.host.Begin(machines)
	return all, nil
}

// Clusters implements play.Several.
func (a *several) Clusters() (all []play.Cluster) {
	for _, m := range a.members {
		all = append(all, m)
	}
	return all
}

// Together implements play.Several. The functions take turns: each runs until it has nothing to do before something happens,
// and then the next thing happens in whichever world.
func (a *several) Together(ctx context.Context, each []func(context.Context)) {
	type turn struct {
		next func() (time.Duration, bool)
		stop func()
	}
	var turns []turn
	for i, do := range each {
		next, stop := iter.Pull(func(yield func(time.Duration) bool) {
			a.members[i].yield = yield
			do(ctx)
			a.members[i].rest() // no event comes any more, whether all have happened or not
		})
		defer stop()
		turns = append(turns, turn{next, stop})
	}
	for len(turns) > 0 {
		until := time.Duration(0)
		var going []turn
		for _, t := range turns {
			due, goes := t.next()
			if goes {
				going = append(going, t)
			}
			if due > 0 && (until == 0 || due < until) {
				until = due
			}
		}
		if turns = going; len(turns) > 0 && !a.over {
			a.over = !a.members[0].w.Pass(until)
		}
	}
}

// Transactions implements play.Several.
func (a *several) Transactions() report.Transactions { return a.host.Load.Report() }

// Judge implements play.Several.
func (a *several) Judge() []check.Result {
	if v := a.members[0].w.Violation(); v != nil {
		return []check.Result{{ID: v.Invariant, Checked: 1, Why: v.Error()}}
	}
	return a.host.Load.Judge()
}

// Close implements play.Several.
func (a *several) Close() { _ = a.end() }

// Pass implements play.Cluster.
func (m *member) Pass(ctx context.Context, until time.Duration) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case m.all.over || !m.yield(until) || m.all.over:
		return play.ErrOver
	}
	return nil
}

// Work implements play.Cluster: with the operations of the transactions, and not done before these are.
func (m *member) Work() play.Work {
	w := m.cluster.Work()
	w.Submitted += m.extra
	w.Made = w.Made && m.all.host.Load.Done()
	return w
}

// Extend implements play.Cluster. Once every event of every cluster has happened, the transactions come to their end.
func (m *member) Extend(more bool, last time.Duration) {
	if m.calm = last >= 0; m.calm {
		m.rest()
	}
	m.cluster.Extend(more, last)
}

// rest notes that no event comes any more in this cluster.
func (m *member) rest() {
	m.calm = true
	for _, o := range m.all.members {
		if !o.calm {
			return
		}
	}
	m.all.host.Load.Calm()
}
