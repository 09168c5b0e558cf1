package sim

import (
	"tagma/pbft/wire"
)

// behind is the state of the journal writes that a process makes in the background (D8.14).
type behind struct {
	due     bool          // a write was scheduled and has not begun
	flying  int           // the number of the write whose sync is under way; 0: none is under way
	writes  int           // how many writes have begun
	written []wire.Record // records of the write under way
}

// waits schedules a write of the journal.
func (n *node) waits() {
	if !n.behind.due {
		n.behind.due = true
		n.after(n.w.opt.WriteDelay, n.writeBehind)
	}
}

// writeBehind writes the records whose turns did not wait for them. The disk does one sync at a time.
func (n *node) writeBehind() {
	b := &n.behind
	b.due = false
	if n.data == nil {
		return
	}
	if n.paused || b.flying > 0 || n.turn.busy && n.turn.syncs > 0 {
		n.waits()
		return
	}
	known := len(n.turn.written)
	if err := n.data.Votes.Flush(); err != nil {
		n.die(err)
		return
	}
	b.written = append(b.written, n.turn.written[known:]...)
	n.turn.written = n.turn.written[:known]
	if len(b.written) == 0 {
		return
	}
	b.writes++
	b.flying = b.writes
	this := b.writes
	n.after(n.w.opt.Sync+n.upTo(n.w.opt.SyncJitter), func() {
		if n.behind.flying == this {
			n.land()
		}
	})
}

// land ends a write's sync. Either its time is over, or another sync has waited for it.
func (n *node) land() {
	b := &n.behind
	if b.flying == 0 {
		return
	}
	b.flying = 0
	n.disk.Settle()
	if m := n.observed(); m != nil {
		for _, r := range b.written {
			m.Durable(n.id, r)
		}
	}
	clear(b.written)
	b.written = b.written[:0]
}

// Stop ends the process of a replica as an operator does. The journal then contains everything that the replica signed,
// and says that it is complete.
func (w *World) Stop(id wire.ReplicaID) {
	for _, n := range w.byID[id] {
		if n.up {
			n.halt()
		}
	}
}
