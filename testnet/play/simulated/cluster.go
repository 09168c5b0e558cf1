package simulated

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/fact"
	"tagma/testnet/links"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
)

// cluster implements play.Cluster.
type cluster struct {
	s      *scenario.Scenario
	show   play.Show
	w      *sim.World
	heard  *heard
	rogues map[*scenario.Malicious]rogues.Client
	askers map[int]*rogues.Asker
	asks   map[*scenario.Request]*rogues.Ask
	asked  map[*scenario.Request]int // how many frames of each request could be sent
	steps  int
	traced func() error // ends the trace
	facts  *fact.Watch

	before map[wire.ReplicaID]port.Inspection // state of each replica before the last event that affected it
	lapses map[*scenario.Event][]int          // World.Lapses of an event's targets, before it
	flips  map[*scenario.Event][]int          // World.Flips of an event's targets, before it
	struck map[*scenario.Event]int            // for how many targets of an event the moment has come

	acks      []play.Ack
	failed    int
	open      []*sim.Operation
	taken     int                       // how many operations of the world's history were read
	known     int                       // how many answers were counted
	submitted int                       // operations beside the workload
	marks     map[string]*sim.Operation // the put that set each mark
	probed    bool                      // Extend has submitted its operation, or none is needed
	resting   bool                      // the clients are stopped
}

// Begin, Load, EndWork, ReadBack and Stop do nothing. The world's time begins when the world is made, its clients begin
// by themselves, and its monitor has already seen everything that could be read back.

// Begin implements play.Cluster.
func (c *cluster) Begin() {}

// Load implements play.Cluster.
func (c *cluster) Load(context.Context) {}

// EndWork implements play.Cluster.
func (c *cluster) EndWork(time.Duration) {}

// ReadBack implements play.Cluster.
func (c *cluster) ReadBack(context.Context, play.Show) error { return nil }

// Stop implements play.Cluster.
func (c *cluster) Stop() {}

// Close implements play.Cluster. It ignores an error of writing a trace, because Remains has already reported it.
func (c *cluster) Close() { _ = c.traced() }

// Tap implements play.Cluster.
func (c *cluster) Tap() *trace.Tap { return c.w.Tap() }

// Wake implements play.Cluster. It does nothing, because attackers start and stop by the world's clock.
func (c *cluster) Wake(context.Context, *scenario.Malicious, bool) error { return nil }

// Now implements play.Cluster.
func (c *cluster) Now() time.Duration { return c.w.Now() }

// Pass implements play.Cluster.
func (c *cluster) Pass(ctx context.Context, until time.Duration) error {
	if c.steps++; c.steps%4096 == 1 && ctx.Err() != nil {
		return ctx.Err()
	}
	if !c.w.Pass(until) {
		return play.ErrOver
	}
	return nil
}

// Command implements play.Cluster.
func (c *cluster) Command(_ context.Context, command links.Command) error {
	if command.Do == links.DoLink {
		command.Link = withDelay(command.Link)
	}
	return c.w.Command(command)
}

// Say implements play.Cluster.
func (c *cluster) Say(_ context.Context, l *scenario.Script) error { return c.heard.say(c.w, l) }

// Ask implements play.Cluster.
func (c *cluster) Ask(_ context.Context, r *scenario.Request) error {
	c.asks[r] = play.Ask(r, func(client int) tamper.Sign { return c.w.ClientSign(client) })
	parcels := c.askers[r.Client].Ask(c.asks[r])
	c.w.Throw(r.Client, parcels, func(taken int) { c.asked[r] += taken - len(parcels) + len(r.To) })
	return nil
}

// Answers implements play.Cluster.
func (c *cluster) Answers(r *scenario.Request) map[wire.Outcome]int {
	if q := c.asks[r]; q != nil {
		return c.askers[r.Client].Answers(q)
	}
	return nil
}

// Happened implements play.Cluster.
func (c *cluster) Happened(f fact.Fact) bool { return c.facts.Happened(f) }

// Touched implements play.Cluster.
func (c *cluster) Touched(what any) bool {
	switch x := what.(type) {
	case string:
		return c.w.Links().Fired()[x] > 0
	case *scenario.Malicious:
		if x.Client != nil {
			return c.rogues[x].Told().Lies > 0
		}
		return c.heard.liars[x.Replica].Lies() > 0 || c.w.HostileFrames(x.Replica) > 0
	case *scenario.Script:
		sent, _ := c.heard.sent()
		return sent >= len(c.s.Scripts)
	case *scenario.Request:
		return c.asked[x] == len(x.To)
	case *scenario.Event:
		switch {
		case x.Do == scenario.FlipState:
			return c.flipped(x)
		case strikes(x):
			return c.struck[x] == len(x.Targets)
		case x.Forgets() && c.s.Restarts(x):
			return c.noticed(x)
		}
	}
	return true
}

// noticed reports whether each target of an event has found at a later start that it may have forgotten what it signed.
func (c *cluster) noticed(e *scenario.Event) bool {
	for i, before := range c.lapses[e] {
		if c.w.Lapses(e.Targets[i]) == before {
			return false
		}
	}
	return true
}

// flipped reports whether a bit was flipped in the state of each target of an event.
func (c *cluster) flipped(e *scenario.Event) bool {
	for i, before := range c.flips[e] {
		if c.w.Flips(e.Targets[i]) == before {
			return false
		}
	}
	return true
}

// Work implements play.Cluster.
func (c *cluster) Work() play.Work {
	history := c.w.History()
	c.open = append(c.open, history[c.taken:]...)
	c.taken = len(history)
	if n := c.w.Acknowledged(); n != c.known {
		c.known = n
		c.open = slices.DeleteFunc(c.open, func(o *sim.Operation) bool {
			switch {
			case !o.Known:
				return false
			case o.Outcome != wire.OutcomeExecuted:
				c.failed++
			default:
				c.acks = append(c.acks, play.Ack{At: o.Returned, Took: o.Returned - o.Invoked})
			}
			return true
		})
	}
	return play.Work{
		Operations: report.Operations{Submitted: len(history), Acknowledged: len(c.acks), Failed: c.failed, Unknown: len(c.open)},
		Acks:       c.acks, Made: c.made() && len(c.open) == 0, Flying: len(c.open), Stopped: c.resting,
	}
}

// made reports whether the workload sends nothing more.
func (c *cluster) made() bool {
	w := &c.s.Workload
	return c.w.Now() >= w.Duration && len(c.w.History())-c.submitted >= w.Operations
}

// Extend implements play.Cluster: if the workload was over before the last event, it submits one operation. Operations
// that have waited since before the event do not suffice, because their clients send them again only rarely.
func (c *cluster) Extend(more bool, last time.Duration) {
	if !more || last < 0 || c.probed || !c.made() || !c.s.HasFaults() || len(play.Honest(c.s)) == 0 {
		return
	}
	c.probed = true
	if h := c.w.History(); len(h) == 0 || h[len(h)-1].Invoked < last {
		c.submitted++
		c.w.Submit(play.Honest(c.s)[0], [][]byte{play.Aside(c.s.Machine, "probe", 1)}, false)
	}
}

// Replicas implements play.Cluster.
func (c *cluster) Replicas() []play.Replica {
	all := make([]play.Replica, c.s.Replicas)
	for i := range all {
		id := wire.ReplicaID(i)
		in, known := c.w.Inspect(id)
		if !known {
			in = c.before[id]
		}
		x := &all[i]
		x.ID, x.Correct, x.Role, x.Executed, x.Stable = i, c.w.Correct(id), c.role(id), uint64(in.Executed), uint64(in.Stable)
		if in.StateDigest != (wire.Digest{}) {
			x.StateDigest = hex.EncodeToString(in.StateDigest[:])
		}
		x.Up, x.Primary, x.Active, x.View = known, known && in.Primary == id, in.Active, uint64(in.View)
		x.Split = uint64(in.Split)
		// A replica that runs on an old copy of its home follows the protocol once it has noticed that.
		x.Counts = (x.Correct || c.s.RolledBack(id) && c.w.Lapses(id) > 0) && c.w.Up(id)
		if x.Health = "ok"; !known {
			x.Health = x.Role
		}
	}
	return all
}

// role describes a replica in a word or two.
func (c *cluster) role(id wire.ReplicaID) string {
	switch {
	case c.s.Lies(id) && !c.w.Correct(id):
		return "malicious"
	case c.w.Asks(id):
		return "waits for others"
	case c.s.RolledBack(id) && c.w.Lapses(id) == 0:
		return "an old copy"
	case c.w.Why(id) != nil && !c.w.Up(id):
		return "stopped"
	case !c.w.Up(id):
		return "down"
	case !c.w.Correct(id) && !c.s.RolledBack(id):
		return "damaged"
	default:
		return "correct"
	}
}
