package simulated

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// act is one thing that happens.
type act struct {
	what  string
	due   time.Duration
	after int              // acknowledged operations after which due counts; 0: it counts from the beginning
	ends  bool             // it ends something that is reported already
	calm  bool             // operations need not recover from it
	cuts  []pbft.ReplicaID // whom it cuts off, until something heals it
	do    func(*act)
	proof func() bool // that it touched something (I18); nil: having been done is enough

	armed bool // a time is set
	waits bool // for a moment within a replica
	done  bool
	at    time.Duration
}

// plan puts attackers, rules and events into a timetable.
func (r *run) plan() error {
	if n := r.s.Network; n.Loss > 0 || n.Duplicate > 0 || n.Reorder > 0 {
		r.acts = append(r.acts, &act{
			what: "a network that loses, doubles or swaps frames", do: func(*act) {}, proof: r.touched(links.Network), calm: true,
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

func (r *run) malice(m *scenario.Malicious) error {
	begin := &act{what: fmt.Sprintf("%s: %s", m.Who(), m.Choice), due: m.From, do: func(*act) {}}
	begin.proof = func() bool { return r.heard.lies[m.Replica] > 0 || r.w.HostileFrames(m.Replica) > 0 }
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
		what: fmt.Sprintf("%s (%s)", rule.ID(), rule.Action), due: rule.At, proof: r.touched(rule.ID()),
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
		calm: slices.Contains([]string{scenario.Submit, scenario.StopClients, scenario.StartClients}, e.Do),
	}
	if a.ends && i > 0 && r.strikes(&r.s.Events[i-1]) {
		a.armed = true // by the crash itself, when it comes
	}
	a.do = func(a *act) { r.perform(e, a, i) }
	if e.TouchesFrames() {
		a.proof = r.touched(e.ID())
	}
	r.acts = append(r.acts, a)
}

// strikes reports whether an event waits for a moment within a replica.
func (r *run) strikes(e *scenario.Event) bool { return e.BeforeSend != 0 || e.Do == scenario.TornWrite }

// perform does what an event says.
func (r *run) perform(e *scenario.Event, a *act, i int) {
	if commands := e.Commands(); len(commands) > 0 {
		for _, c := range commands {
			r.command(c)
		}
		r.follow(e, a)
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

// strike does something to one replica.
func (r *run) strike(e *scenario.Event, id pbft.ReplicaID, i int) {
	w := r.w
	if in, up := w.Inspect(id); up {
		r.seen[id] = in
	}
	switch e.Do {
	case scenario.Kill:
		if e.BeforeSend != 0 {
			r.await(id, e.BeforeSend, sim.BeforeSend, disk.Kill, i)
			return
		}
		w.Crash(id, disk.Kill)
	case scenario.TornWrite:
		r.await(id, pbft.TypeCommit, sim.BeforeDurable, disk.Tail, i)
	case scenario.LoseUnsynced:
		loss := disk.All
		if e.Hole {
			loss = disk.Holes
		}
		w.Crash(id, loss)
	case scenario.Restart:
		w.Disk(id).Fill(false)
		w.Disk(id).FailAfter(0, nil)
		if err := w.Restart(id); err != nil {
			r.show.Happened(play.Happening{At: w.Now(), Kind: play.Note, What: fmt.Sprintf("replica%d does not start: %v", id, err)})
		}
	case scenario.Pause:
		w.Pause(id)
	case scenario.Resume:
		w.Resume(id)
	case scenario.Wipe:
		w.Crash(id, disk.Kill)
		w.Wipe(id)
	case scenario.BitFlip:
		w.Condemn(id)
		w.Crash(id, disk.Kill)
		w.Disk(id).FlipBit(rand.New(rand.NewPCG(r.s.Seed, uint64(e.Line))))
	case scenario.DiskFull:
		w.Condemn(id)
		w.Disk(id).Fill(true)
	case scenario.IOError:
		w.Condemn(id)
		w.Disk(id).FailAfter(0, disk.ErrIO)
	case scenario.ClockJump:
		w.ClockJump(id, e.By)
	default:
		panic("simulated: the scenario was not refused: " + e.Do)
	}
}

// await has a replica die at a moment in the life of a message, and come back so much later if the event says so.
func (r *run) await(id pbft.ReplicaID, t pbft.Type, when sim.Moment, loss disk.Loss, i int) {
	a := r.actOf(i)
	a.waits = true
	r.w.CrashAt(id, t, when, loss, func() {
		a.waits = false
		r.happened(a)
		if i+1 < len(r.s.Events) && r.s.Events[i+1].Undoes {
			back := r.actOf(i + 1)
			r.arm(back, r.w.Now()+back.due-a.due+instant)
		}
	})
}

// actOf is the act of an event.
func (r *run) actOf(i int) *act {
	first := len(r.acts) - len(r.s.Scripts) - len(r.s.Events)
	return r.acts[first+i]
}

// follow keeps account of who is cut off.
func (r *run) follow(e *scenario.Event, a *act) {
	switch e.Do {
	case scenario.Isolate:
		a.cuts = e.Targets
	case scenario.ChangeLink:
		if !e.Heal && e.Link.Loss == 1 {
			a.cuts = slices.Concat(e.From, e.To)
		}
	case scenario.Partition:
		for _, g := range e.Groups {
			a.cuts = append(a.cuts, g...)
		}
	}
	if e.Do != scenario.Heal && e.Do != scenario.Partition && !e.Heal {
		return
	}
	for _, other := range r.acts {
		if other != a && (len(e.Targets) == 0 || slices.Equal(other.cuts, e.Targets)) {
			other.cuts = nil
		}
	}
}
