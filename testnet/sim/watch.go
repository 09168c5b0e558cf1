package sim

import (
	"fmt"
	"time"

	"tagma/pbft"
)

// Watcher is told what correct replicas do, in the order in which it happens.
type Watcher interface {
	Stepped(id pbft.ReplicaID, ev pbft.Event, effects []pbft.Effect)
	Durable(id pbft.ReplicaID, rec pbft.Record)
	Restarted(id pbft.ReplicaID, at pbft.Seq)
}

// Violation is an invariant that did not hold. It ends a run.
type Violation struct {
	Invariant string // I1 to I18 and others of the watcher, or what the world itself noticed: "stopped", "refused", "panic"
	Replica   pbft.ReplicaID
	At        time.Duration
	Seed      uint64
	What      string
}

func (v *Violation) Error() string {
	return fmt.Sprintf("%s: replica %d at %v with seed %d: %s", v.Invariant, v.Replica, v.At, v.Seed, v.What)
}

// fail notes the first violation.
func (w *World) fail(invariant string, id pbft.ReplicaID, format string, args ...any) {
	if w.violation == nil {
		w.violation = &Violation{Invariant: invariant, Replica: id, At: w.now, Seed: w.opt.Seed, What: fmt.Sprintf(format, args...)}
	}
}

// Violation is what ended the run, nil while it may go on.
func (w *World) Violation() *Violation { return w.violation }

// requested is told of every request that a client signs, and believed of every reply that it accepts.
func (w *World) requested(*client, *pbft.Request) {}

func (w *World) believed(*client, *call, *pbft.Reply, pbft.ReplicaID) {}
