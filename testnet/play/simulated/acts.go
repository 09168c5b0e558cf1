package simulated

import (
	"fmt"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// act is one thing that happens.
type act struct {
	what  string
	due   time.Duration
	after int  // acknowledged operations after which due counts; 0: it counts from the beginning
	ends  bool // it ends something that is reported already
	calm  bool // operations need not recover from it
	do    func(*act)
	proof func() bool // that it touched something (I18); nil: having been done is enough

	armed bool // a time is set
	waits bool // for a moment within a replica
	done  bool
	at    time.Duration

	late  bool          // it begins when it first touches something, rather than when it is done
	shown time.Duration // when it was first seen to have touched something
	seen  bool          // shown counts
}

// began is when it was seen to go wrong: a liar that is let loose need not lie at once.
func (a *act) began() time.Duration {
	if a.late && a.seen {
		return a.shown
	}
	return a.at
}

// notice keeps account of what begins to touch something.
func (r *run) notice() {
	for _, a := range r.acts {
		if a.late && a.done && !a.seen && a.proof() {
			a.seen, a.shown = true, r.w.Now()
		}
	}
}

// plan puts attackers, rules and events into a timetable.
func (r *run) plan() error {
	if n := r.s.Network; n.Loss > 0 || n.Duplicate > 0 || n.Reorder > 0 {
		r.acts = append(r.acts, &act{
			what: "a network that loses, doubles or swaps frames", do: func(*act) {}, proof: r.touched(links.Network),
		})
	}
	for i := range r.s.Malicious {
		if err := r.malice(&r.s.Malicious[i]); err != nil {
			return err
		}
	}
	for i := range r.s.Rules {
		r.rule(&r.s.Rules[i])
	}
	for i := range r.s.Events {
		r.event(i)
	}
	for i := range r.s.Scripts {
		line := &r.s.Scripts[i]
		r.acts = append(r.acts, &act{
			what: fmt.Sprintf("replica%d sends a %v by script", line.From, line.Send.Type), due: line.At, do: func(*act) {},
			proof: func() bool { sent, _ := r.heard.sent(); return sent >= len(r.s.Scripts) },
		})
	}
	for _, a := range r.acts {
		if a.after == 0 && !a.armed {
			r.arm(a, a.due)
		}
	}
	return nil
}

// arm has an act happen at a time.
func (r *run) arm(a *act, at time.Duration) {
	a.armed = true
	r.w.At(at, func() {
		a.do(a)
		r.happened(a)
	})
}

func (r *run) happened(a *act) {
	if a.done || a.waits {
		return
	}
	a.done, a.at = true, r.w.Now()
	if !a.calm {
		r.before = r.highest()
	}
	r.show.Happened(play.Happening{At: a.at, Kind: play.Fired, What: a.what})
}

// touched proves that a change of the links touched frames.
func (r *run) touched(id string) func() bool {
	return func() bool { return r.w.Links().Fired()[id] > 0 }
}

// noticed proves that each target of an event found at a later start that it may have forgotten what it signed.
func (r *run) noticed(e *scenario.Event, a *act) func() bool {
	before := map[wire.ReplicaID]int{}
	do := a.do
	a.do = func(a *act) {
		for _, id := range e.Targets {
			before[id] = r.w.Lapses(id)
		}
		do(a)
	}
	return func() bool {
		for _, id := range e.Targets {
			if r.w.Lapses(id) == before[id] {
				return false
			}
		}
		return true
	}
}

func (r *run) malice(m *scenario.Malicious) error {
	begin := &act{what: fmt.Sprintf("%s: %s", m.Who(), m.Choice), due: m.From, do: func(*act) {}, late: true}
	begin.proof = func() bool { return r.heard.liars[m.Replica].Lies() > 0 || r.w.HostileFrames(m.Replica) > 0 }
	if m.Client != nil {
		var rogue byzantine.Client
		begin.proof = func() bool { return rogue.Told().Lies > 0 }
		begin.what = fmt.Sprintf("%s: %s", m.Who(), m.Choice.Name)
		err := r.w.Host(*m.Client, m.From, m.Until, func(cfg byzantine.ClientConfig, sign byzantine.Sign) (c byzantine.Client, err error) {
			cfg.Operation = func(n uint64) []byte { return r.operation(fmt.Sprintf("rogue%d", *m.Client), n) }
			rogue, err = byzantine.NewClient(m.Choice, cfg, sign)
			return rogue, err
		})
		if err != nil {
			return fmt.Errorf("%s:%d: %w", r.s.File, m.Line, err)
		}
	}
	r.acts = append(r.acts, begin)
	if m.Until > 0 {
		r.acts = append(r.acts, &act{what: "the end of " + begin.what, due: m.Until, ends: true, do: func(*act) {}})
	}
	return nil
}

// operation is one of many different ones that the machine executes.
func (r *run) operation(name string, n uint64) []byte {
	if r.s.Machine == "bank" {
		return bank.Open(fmt.Sprintf("%s/%d", name, n), 1)
	}
	return kv.Put([]byte(name), fmt.Appendf(nil, "%d", n))
}

func (r *run) rule(rule *scenario.Rule) {
	r.acts = append(r.acts, &act{
		what: fmt.Sprintf("%s (%s)", rule.ID(), rule.Action), due: rule.At, proof: r.touched(rule.ID()), late: true,
		do: func(*act) { r.command(rule.Command()) },
	})
	if rule.UntilTime > 0 {
		r.acts = append(r.acts, &act{what: "the end of " + rule.ID(), due: rule.UntilTime, ends: true, do: func(*act) {}})
	}
}

func (r *run) command(c links.Command) {
	if c.Do == links.DoLink {
		c.Link = withDelay(c.Link)
	}
	if err := r.w.Command(c); err != nil {
		panic("simulated: the scenario was not checked: " + err.Error())
	}
}

// event puts one event into the timetable.
func (r *run) event(i int) {
	e := &r.s.Events[i]
	a := &act{
		what: e.What(), due: e.At, after: e.AfterOperations, ends: e.Undoes,
		calm: e.Calm(),
	}
	if a.ends && i > 0 && r.strikes(&r.s.Events[i-1]) {
		a.armed = true // by the crash itself, when it comes
	}
	a.do = func(*act) { r.perform(e, i) }
	if e.TouchesFrames() {
		a.proof = r.touched(e.ID())
	}
	if e.Forgets() && r.s.Restarts(e) {
		a.proof = r.noticed(e, a)
	}
	r.acts = append(r.acts, a)
}

// perform does what an event says.
func (r *run) perform(e *scenario.Event, i int) {
	if commands := e.Commands(); len(commands) > 0 {
		for _, c := range commands {
			r.command(c)
		}
		return
	}
	switch e.Do {
	case scenario.Submit:
		for _, o := range e.Submit {
			r.w.Submit(o.Client, [][]byte{o.Encode(r.s.Machine)}, false)
			r.submitted++
		}
	case scenario.StopClients:
		r.w.Rest(true)
	case scenario.StartClients:
		r.w.Rest(false)
	default:
		for _, id := range e.Targets {
			r.strike(e, id, i)
		}
	}
}
