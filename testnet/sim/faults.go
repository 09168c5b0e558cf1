package sim

import (
	"fmt"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/sim/disk"
)

// Crash ends a replica's process (disk.Kill), or its whole machine, which loses what l says. A replica that is down
// remains down.
func (w *World) Crash(id wire.ReplicaID, l disk.Loss) {
	for _, n := range w.byID[id] {
		if n.up {
			n.crash(l)
		}
	}
}

// CrashAfter makes a replica crash after so many more syncs, sends, replies and batches. Fired, if not nil, is called
// then.
func (w *World) CrashAfter(id wire.ReplicaID, calls int, l disk.Loss, fired func()) {
	w.nodes[id].strike = &strike{Loss: l, calls: max(1, calls), fired: fired}
}

// CrashAt makes a replica crash at a moment of the next message of a type that it sends.
func (w *World) CrashAt(id wire.ReplicaID, t wire.Type, when Moment, l disk.Loss, fired func()) {
	w.nodes[id].strike = &strike{Loss: l, kind: t, when: when, fired: fired}
}

// CrashAtBatch makes a replica crash at a moment of the batch with a sequence number, or of the first batch after that.
func (w *World) CrashAtBatch(id wire.ReplicaID, seq wire.Seq, when Moment, l disk.Loss, fired func()) {
	w.nodes[id].strike = &strike{Loss: l, seq: seq, when: when, fired: fired}
}

// Restart starts a replica that is down. The error says why it must not run. For a correct replica such an error is a
// violation.
func (w *World) Restart(id wire.ReplicaID) error {
	for _, n := range w.byID[id] {
		if n.up {
			continue
		}
		w.counts.Restarts++
		if err := n.start(); err != nil {
			if w.Correct(id) {
				w.fail("refused to start", id, "%v", err)
			}
			return err
		}
	}
	return nil
}

// Up reports whether a replica's process runs.
func (w *World) Up(id wire.ReplicaID) bool { return w.nodes[id].up }

// Why is the error with which a replica stopped or did not start; nil if there was none.
func (w *World) Why(id wire.ReplicaID) error { return w.nodes[id].why }

// Pause stops a replica's process for a while (SIGSTOP). What arrives meanwhile waits, up to a bound.
func (w *World) Pause(id wire.ReplicaID) {
	for _, n := range w.byID[id] {
		if n.up {
			n.paused = true
			n.tap.Emit(&trace.Process{Step: trace.Paused})
		}
	}
}

// Resume lets a paused process continue.
func (w *World) Resume(id wire.ReplicaID) {
	for _, n := range w.byID[id] {
		if !n.up || !n.paused {
			continue
		}
		n.paused = false
		n.tap.Emit(&trace.Process{Step: trace.GoesOn})
		if n.turn.busy && n.turn.syncs == 0 {
			n.release()
		}
		n.wake()
	}
}

// ClockJump moves a replica's wall clock.
func (w *World) ClockJump(id wire.ReplicaID, by time.Duration) {
	for _, n := range w.byID[id] {
		n.skew += by
		n.tap.Emit(&trace.Fault{Step: trace.Fired, Does: fmt.Sprintf("its clock jumps by %v", by)})
	}
}

// Disk returns the disk of a replica's journal, so that the caller can damage it.
func (w *World) Disk(id wire.ReplicaID) *disk.Disk {
	w.nodes[id].harmed = true // the caller may damage it now or later
	return w.nodes[id].disk
}

// FailStore makes every write to a replica's store fail, or ends that.
func (w *World) FailStore(id wire.ReplicaID, err error) {
	w.nodes[id].medium.all(func(m *medium) { m.failure = err })
}

// Wipe empties journal and store of a replica that is down.
func (w *World) Wipe(id wire.ReplicaID) {
	n := w.nodes[id]
	n.drives, n.harmed, n.strayed = newDrives(n.life), true, true
}

// LoseState empties the store of a replica that is down; its journal stays.
func (w *World) LoseState(id wire.ReplicaID) {
	n := w.nodes[id]
	n.medium, n.strayed = newMedium(), true
}

// Unmount hides journal and store of a replica that is down; its key, and the file beside it, are on another disk.
func (w *World) Unmount(id wire.ReplicaID) {
	n := w.nodes[id]
	n.harmed = true
	there := n.drives
	n.drives, n.hidden, n.strayed = newDrives(n.life), &there, true
}

// Mount brings journal and store back, unless the replica has begun a new life meanwhile, whose data are in their place. A
// replica that asks the others is ended; when it starts again, it continues its former life (D8.12).
func (w *World) Mount(id wire.ReplicaID) {
	n := w.nodes[id]
	if n.hidden == nil || n.hidden.life != n.life || n.up && n.asking == nil {
		return
	}
	if n.up {
		n.crash(disk.Kill)
	}
	n.drives, n.hidden = *n.hidden, nil
}

// Keep takes a copy of everything that a replica has on its disks, to be put back later.
func (w *World) Keep(id wire.ReplicaID) {
	n := w.nodes[id]
	n.hidden = &drives{n.disk.Copy(), n.medium.copy(), n.life}
}

// PutBack replaces the disks of a replica that is down by the copy. From then on the replica counts as faulty: it
// depends on which replicas answer whether it learns what it has forgotten (D8.13).
func (w *World) PutBack(id wire.ReplicaID) {
	n := w.nodes[id]
	n.harmed = true
	if n.hidden == nil {
		return
	}
	w.Condemn(id)
	n.drives, n.hidden, n.strayed, n.putBack = *n.hidden, nil, true, true
}

// FlipState flips a bit of the next value that a replica's machine writes under a key; "" is any key. The replica counts
// as faulty from now on.
func (w *World) FlipState(id wire.ReplicaID, key string) {
	w.Condemn(id)
	w.nodes[id].state.Flip(key)
}

// Flips returns how many bits of a replica's state were flipped so far.
func (w *World) Flips(id wire.ReplicaID) int { return w.nodes[id].state.Flips() }

// Lapses returns how often a replica found that it may have forgotten what it signed.
func (w *World) Lapses(id wire.ReplicaID) int { return w.nodes[id].lapses }

// Asks reports whether a replica asks the others what it has forgotten.
func (w *World) Asks(id wire.ReplicaID) bool { return w.nodes[id].asking != nil }

// Inspect returns the state of a replica's core. It returns false while the replica is down.
func (w *World) Inspect(id wire.ReplicaID) (port.Inspection, bool) {
	n := w.nodes[id]
	if !n.up || n.replica == nil {
		return port.Inspection{}, false
	}
	return n.replica.Inspect(), true
}

// Evidence lists the evidence that correct replicas have against others.
func (w *World) Evidence() []Accusation { return w.evidence }

var _ driver.Core = watched{}

// Describe returns a text with a line for every replica's state.
func (w *World) Describe() string {
	text := ""
	for _, n := range w.nodes {
		role := "correct"
		if w.faulty[n.id] {
			role = "faulty"
		}
		if !n.up {
			text += fmt.Sprintf("\n  replica %d (%s) is down: %v", n.id, role, n.why)
			continue
		}
		if n.asking != nil {
			text += fmt.Sprintf("\n  replica %d (%s) %s: it %s", n.id, role, n.asking.Why, n.asking.Describe())
			continue
		}
		in := n.replica.Inspect()
		text += fmt.Sprintf("\n  replica %d (%s): view %d active %t, executed %d, stable %d, pending %d, suspecting %t, left behind %t, timeout %v",
			n.id, role, in.View, in.Active, in.Executed, in.Stable, in.Pending, in.Suspecting, in.LeftBehind, in.Timeout)
	}
	for _, c := range w.clients {
		if len(c.waits) > 0 {
			text += fmt.Sprintf("\n  client %d waits for %d answers, the oldest since %v", c.index, len(c.waits), c.waits[0].Invoked)
		}
	}
	return text
}
