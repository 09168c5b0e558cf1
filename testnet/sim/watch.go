package sim

import (
	"fmt"
	"time"

	"tagma/internal/session"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/check"
)

// Violation is an invariant that did not hold. It ends a run.
type Violation struct {
	Cluster string // the cluster's name, if there are several
	// I1 to I18 and others of package check, or what the world itself noticed: "stopped", "refused", "panic".
	Invariant string
	Replica   wire.ReplicaID
	At        time.Duration
	Seed      uint64
	What      string
}

func (v *Violation) Error() string {
	who := fmt.Sprintf("replica %d", v.Replica)
	if v.Cluster != "" {
		who = fmt.Sprintf("replica %s/%d", v.Cluster, v.Replica)
	}
	return fmt.Sprintf("%s: %s at %v with seed %d: %s", v.Invariant, who, v.At, v.Seed, v.What)
}

// fail notes the first violation.
func (w *World) fail(invariant string, id wire.ReplicaID, format string, args ...any) {
	if w.violation == nil {
		w.violation = &Violation{
			Cluster: w.opt.Cluster, Invariant: invariant, Replica: id, At: w.now, Seed: w.opt.Seed, What: fmt.Sprintf(format, args...),
		}
	}
}

// Violation returns the violation that ended the run. It is nil while there is none.
func (w *World) Violation() *Violation { return w.violation }

// observed returns the monitor if the monitor judges this replica, and nil otherwise.
func (n *node) observed() *check.Monitor {
	if n.w.monitor == nil || n.w.faulty[n.id] {
		return nil
	}
	return n.w.monitor
}

// judge ends the run if the monitor has found that an invariant is broken.
func (w *World) judge() {
	if w.monitor == nil || w.violation != nil {
		return
	}
	if v := w.monitor.Violation(); v != nil {
		w.fail(v.ID, v.Replica, "%s", v.What)
	}
}

// Monitor returns the monitor that judges the run, or nil if there is none.
func (w *World) Monitor() *check.Monitor { return w.monitor }

// believed tells the monitor of a result that a client has accepted.
func (w *World) believed(s session.Settlement) {
	if w.monitor != nil {
		w.monitor.Accepted(check.Acceptance(s))
	}
}

// hear tells the monitor that a process starts, and what is in its journal.
func (n *node) hear(at wire.Seq, log []wire.Record) {
	m := n.observed()
	if m == nil {
		return
	}
	if n.starts > 1 {
		m.Restarted(n.id, at)
	}
	for _, r := range log {
		m.Durable(n.id, r)
	}
}

// watched is a core whose steps are reported to the monitor.
type watched struct {
	driver.Core
	n *node
}

func (c watched) Step(ev port.Event) []port.Effect {
	n := c.n
	effects := c.Core.Step(ev)
	if m := n.observed(); m != nil {
		m.Stepped(n.id, ev, effects)
		m.Standing(n.id, n.replica.Position())
	}
	n.shown(ev, effects)
	return effects
}

// measure sometimes tells the monitor how much memory a replica uses (I14).
func (n *node) measure() {
	if n.beats++; n.beats%64 != 0 || n.replica == nil {
		return
	}
	if m := n.observed(); m != nil && n.beats%128 == 0 { // only now and then, because it reads every slot
		m.Standing(n.id, n.replica.Position()) // a replica that has just started has not taken a step yet
		m.Holds(n.id, n.replica.Footprint())
	}
}
