package sim

import (
	"math/rand/v2"
	"slices"

	"tagma/checkpoint/journal"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/sim/disk"
)

// rot flips a bit on the disk of a replica that is down, and starts the replica. The start must be refused, unless the
// journal can still be read as it was written (D8).
func (w *World) rot(id wire.ReplicaID) {
	n := w.nodes[id]
	if n.up {
		return
	}
	before, sound := written(n.disk)
	w.Disk(id).FlipBit(w.damage)
	after, readable := written(n.disk)
	_ = w.Restart(id)
	if sound && readable && n.replica != nil && !slices.EqualFunc(before, after, slices.Equal[[]byte]) {
		w.fail("D8", id, "it runs on a journal that has rotten: %d entries are not what was written", len(before))
	}
}

// RotStore flips a bit of a value in the store of a replica, which may be running. It does not change the replica's
// journal. It returns false if the store is empty.
func (w *World) RotStore(id wire.ReplicaID, chance *rand.Rand) bool {
	n := w.nodes[id]
	n.medium = n.medium.present()
	keys := n.medium.Keys()
	for len(keys) > 0 {
		i := chance.IntN(len(keys))
		turned := n.medium.Turn([]byte(keys[i]), func(value []byte) []byte {
			if len(value) > 0 {
				value[chance.IntN(len(value))] ^= 1 << chance.IntN(8)
				n.strayed = true
			}
			return value
		})
		if turned && n.strayed {
			return true
		}
		keys = slices.Delete(keys, i, i+1)
	}
	return false
}

// written returns the entries of the journal on a disk. It returns false if no replica may run on that journal.
func written(d *disk.Disk) (entries [][]byte, ok bool) {
	j, found, err := journal.Open(journalDir, journal.Options{FS: d.Copy()})
	if err != nil {
		return nil, false
	}
	_ = j.Close()
	for _, e := range found {
		entries = append(entries, e.Data)
	}
	return entries, true
}

// shown checks D8.5 for a replica whose disks were put back; nothing else is checked for such a replica. If an answer
// shows the replica a statement of its own that it must not contradict, and that is neither in its journal nor was made
// again, the replica must notice the loss.
func (n *node) shown(ev port.Event, effects []port.Effect) {
	if !n.putBack || len(n.malice) > 0 || n.w.violation != nil {
		return
	}
	settled := false
	for _, e := range effects {
		switch e := e.(type) {
		case port.Forgot, port.Dropped:
			settled = true
		case port.Broadcast: // it counts as said from now on, though the journal may lack it for a while
			n.says(e.Msg)
		default:
		}
	}
	r, is := ev.(port.Received)
	if !is || settled {
		return
	}
	answer, is := r.Msg.Message().(*wire.HeldBy)
	if !is || len(answer.Said) == 0 {
		return
	}
	in := n.replica.Inspect()
	for _, s := range answer.Said {
		if s.Sig = (wire.Signature{}); binds(&s, &in) && !slices.Contains(n.said, s) {
			n.w.fail("D8.5", n.id, "replica %d shows it a %v of its own for (%d, %d), which its journal lacks, and it goes on",
				r.From.Replica, s.Type, s.View, s.Seq)
		}
	}
}

// binds reports whether a replica that lacks a statement of its own could contradict it. Pre-prepares and new views are not
// judged, because others may have given them back to the replica.
func binds(s *wire.Statement, in *port.Inspection) bool {
	switch s.Type {
	case wire.TypePrepare, wire.TypeCommit:
		lost := in.Stable
		if in.Unclean { // the replica does not vote for these sequence numbers, whatever it signed before
			lost = in.Until
		}
		return s.Seq > lost && s.View >= max(in.View, in.Since)
	case wire.TypeCheckpoint:
		return s.Seq > max(in.Handed, in.Until)
	case wire.TypeViewChange:
		return s.View > max(in.View, in.Since)
	default:
		return false
	}
}

// recall records what the replica has signed according to its journal, if its disks were put back.
func (n *node) recall(log []wire.Record) {
	if !n.putBack {
		return
	}
	for _, r := range log {
		if sent, is := r.(*wire.Sent); is {
			n.says(sent.Msg)
		}
	}
}

// says records what a replica signs, without the signature.
func (n *node) says(m wire.Message) {
	if s, is := wire.SaidIn(m); is {
		s.Sig = wire.Signature{}
		n.said = append(n.said, s)
	}
}
