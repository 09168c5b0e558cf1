package play

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tagma/internal/trace"
	"tagma/testnet/fact"
	"tagma/testnet/links"
	"tagma/testnet/scenario"
)

// act is one entry of the timetable: something that happens to the cluster.
type act struct {
	what   string
	line   int
	due    time.Duration // time since the workload began, or since the moment that after or when names
	after  int           // due counts from when so many operations were acknowledged; 0: it does not depend on that
	when   *fact.Fact    // due counts from when this fact happens; nil: it does not depend on a fact
	behind *act          // an earlier act: if it waits for a moment in a replica, this act follows at the planned distance
	fault  bool          // the act causes a fault, rather than ends one
	ends   bool          // the act ends another act of the table, so it is not reported itself
	calm   bool          // the act harms nothing, so there is nothing to recover from
	late   bool          // the fault counts from its first effect, not from when it was caused
	do     func(ctx context.Context) (later bool, err error)
	proof  any // what Cluster.Touched is called with (I18); nil: the act counts once it was done

	reached time.Duration // when the condition of after or when was met
	happens bool          // reached is set
	waits   bool          // the act waits for a moment within a replica
	done    bool
	missed  error         // why the act could not be done
	at      time.Duration // when the act was done
	proven  bool          // the act has touched something
	shown   time.Duration // when the course first saw an effect of the act
	told    bool          // the recovery from it was reported
}

// began returns when an effect of the fault was first seen. That may be later than the act, because an attacker need not
// lie at once.
func (a *act) began() time.Duration {
	if a.late && a.proven {
		return a.shown
	}
	return a.at
}

// comes returns when the act is due, if that is known yet.
func (a *act) comes() (at time.Duration, known bool) {
	switch {
	case a.done || a.waits:
		return 0, false
	case a.behind != nil && a.behind.waits:
		return a.behind.at + a.due - a.behind.due, a.behind.done
	case a.after > 0 || a.when != nil:
		return a.reached + a.due, a.happens
	default:
		return a.due, true
	}
}

// plan puts attackers, rules, events, scripts and requests into one timetable, in the order in which they are due.
func (r *course) plan() {
	nothing := func(context.Context) (bool, error) { return false, nil }
	add := func(a *act) *act {
		if a.do == nil {
			a.do = nothing
		}
		r.acts = append(r.acts, a)
		return a
	}
	if n := r.s.Network; n.Loss > 0 || n.Duplicate > 0 || n.Reorder > 0 {
		add(&act{what: "a network that loses, doubles or swaps frames", fault: true, proof: links.Network})
	}
	for i := range r.s.Malicious {
		m := &r.s.Malicious[i]
		wake := func(on bool) func(context.Context) (bool, error) {
			return func(ctx context.Context) (bool, error) { return false, r.c.Wake(ctx, m, on) }
		}
		add(&act{what: fmt.Sprintf("%s: %s", m.Who(), m.Choice), line: m.Line, due: m.From, fault: true, late: true, proof: m, do: wake(true)})
		if m.Until > 0 {
			add(&act{what: fmt.Sprintf("%s: the end of %s", m.Who(), m.Choice.Name), line: m.Line, due: m.Until, ends: true, do: wake(false)})
		}
	}
	for i := range r.s.Rules {
		rule := &r.s.Rules[i]
		add(&act{
			what: fmt.Sprintf("%s (%s)", rule.ID(), rule.Action), line: rule.Line, due: rule.At, when: rule.When,
			fault: true, late: true, proof: rule.ID(),
			do: func(ctx context.Context) (bool, error) {
				command := rule.Command()
				if rule.When != nil && rule.Until > 0 {
					command.Rule.Until += r.c.Now()
				}
				return false, r.c.Command(ctx, command)
			},
		})
		if rule.Until > 0 { // the rule ends by itself; this act only makes the course wait for that
			add(&act{what: "the end of " + rule.ID(), line: rule.Line, due: rule.Until, when: rule.When, ends: true})
		}
	}
	var before *act
	for i := range r.s.Events {
		e := &r.s.Events[i]
		a := add(&act{
			what: e.What(), line: e.Line, due: e.At, after: e.AfterOperations, when: e.When,
			fault: e.Fault(), calm: e.Calm(), ends: e.Undoes, proof: e,
			do: func(ctx context.Context) (bool, error) { return r.event(ctx, e) },
		})
		if e.TouchesFrames() {
			a.proof = e.ID()
		}
		if e.Undoes {
			a.behind, a.proof = before, nil
		}
		before = a
	}
	for i := range r.s.Scripts {
		line := &r.s.Scripts[i]
		a := &act{
			what: fmt.Sprintf("replica%d sends a %v by script", line.From, line.Send.Type), line: line.Line, due: line.At, when: line.When,
			fault: true, proof: line,
		}
		if line.When != nil {
			a.do = func(ctx context.Context) (bool, error) { return false, r.c.Say(ctx, line) }
		}
		add(a)
	}
	for i := range r.s.Requests {
		request := &r.s.Requests[i]
		add(&act{
			what: request.What(), line: request.Line, due: request.At, when: request.When, fault: true, proof: request,
			do: func(ctx context.Context) (bool, error) { return false, r.c.Ask(ctx, request) },
		})
	}
	slices.SortStableFunc(r.acts, func(a, b *act) int { return int(a.due - b.due) })
}

// event performs an event of the scenario.
func (r *course) event(ctx context.Context, e *scenario.Event) (later bool, err error) {
	command, is := e.LinkCommand()
	if !is {
		return r.c.Do(ctx, e)
	}
	if _, err := r.links.Do(0, command); err != nil {
		return false, err
	}
	return false, r.c.Command(ctx, command)
}

// perform does the acts that are due. Its error says that the run ended meanwhile.
func (r *course) perform(ctx context.Context, now time.Duration) (acted bool, err error) {
	acknowledged := r.c.Work().Acknowledged
	for _, a := range r.acts {
		if a.after > 0 && !a.happens && acknowledged >= a.after {
			a.happens, a.reached = true, now
		}
		if a.when != nil && !a.happens && r.c.Happened(*a.when) {
			a.happens, a.reached = true, now
		}
		if a.waits && !a.done && r.c.Touched(a.proof) {
			a.proven, acted = true, true
			r.did(a, now, nil)
		}
		if at, known := a.comes(); !known || at > now {
			continue
		}
		acted = true
		limited, cancel := context.WithTimeout(ctx, actPatience)
		later, err := a.do(limited)
		cancel()
		if a.waits = later; !later {
			r.did(a, now, err)
		}
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
	}
	return acted, nil
}

// actPatience bounds the time of one act, which takes milliseconds on an idle machine.
const actPatience = 30 * time.Second

// did records that an act was done, or why it could not be.
func (r *course) did(a *act, now time.Duration, missed error) {
	a.done, a.at, a.missed = true, now, missed
	if !a.calm {
		r.before = r.view()
	}
	if missed != nil {
		Say(r.show, now, Bad, "%s: %v", a.what, missed)
		return
	}
	Say(r.show, now, Fired, "%s", a.what)
	step := trace.Fired
	if a.ends {
		step = trace.Healed
	}
	r.c.Tap().Emit(&trace.Fault{Step: step, Does: a.what})
}

// notice finds out which acts have had an effect by now, and reports the faults from which the cluster has recovered.
func (r *course) notice(now time.Duration, acks []Ack) {
	fresh := len(acks) > r.noticed
	r.noticed = len(acks)
	for _, a := range r.acts {
		if !a.done || a.missed != nil {
			continue
		}
		r.prove(a, now)
		if !fresh || a.told || !a.fault || a.late && !a.proven {
			continue
		}
		if at, ok := recovered(acks, a.began()); ok {
			a.told = true
			Say(r.show, now, Recovered, "%s: clients were served again after %v", a.what, (at - a.began()).Round(time.Millisecond))
		}
	}
}

func (r *course) prove(a *act, now time.Duration) {
	if !a.proven && a.proof != nil && r.c.Touched(a.proof) {
		a.proven, a.shown = true, now
	}
}

// done reports whether every act was done or has failed.
func (r *course) done() bool {
	return !slices.ContainsFunc(r.acts, func(a *act) bool { return !a.done })
}

// next returns the next time at which an act is due, 0 if none is known.
func (r *course) next(now time.Duration) (next time.Duration) {
	for _, a := range r.acts {
		if at, known := a.comes(); known && at > now && (next == 0 || at < next) {
			next = at
		}
	}
	return next
}

// last returns when the last act happened from which operations may have to recover, 0 if there was none.
func (r *course) last() (at time.Duration) {
	for _, a := range r.acts {
		if a.done && !a.calm {
			at = max(at, a.at)
		}
	}
	return at
}
