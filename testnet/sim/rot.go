package sim

import (
	"slices"

	"tagma/checkpoint/journal"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/sim/disk"
)

// rot turns a bit on the disk of a replica that is down, and starts it. Unless the journal is read as it was written, in
// spite of it, the replica must not run (D8).
func (x *plot) rot(id wire.ReplicaID) {
	n := x.w.nodes[id]
	if n.up {
		return
	}
	before, sound := written(n.disk)
	x.w.Disk(id).FlipBit(x.w.damage)
	after, readable := written(n.disk)
	x.restart(id)
	if sound && readable && n.replica != nil && !slices.EqualFunc(before, after, slices.Equal[[]byte]) {
		x.w.fail("D8", id, "it runs on a journal that has rotten: %d entries are not what was written", len(before))
	}
}

// written is what a copy of a disk holds as its journal. It is not ok if nobody may run on it.
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

// shown is D8.5 for a replica whose disks were put back, of which nothing else is judged: one that is shown a statement of
// its own that still binds it, and that its journal lacks, notices that it has forgotten it.
func (n *node) shown(ev port.Event, effects []port.Effect) {
	r, is := ev.(port.Received)
	if !is || !n.putBack || len(n.malice) > 0 || n.w.violation != nil {
		return
	}
	answer, is := r.Msg.Message().(*wire.HeldBy)
	if !is || len(answer.Said) == 0 {
		return
	}
	for _, e := range effects {
		switch e.(type) {
		case port.Forgot, port.Dropped:
			return
		default:
		}
	}
	in, said := n.replica.Inspect(), n.said()
	for i := range answer.Said {
		if s := &answer.Said[i]; binds(s, &in) && !slices.Contains(said, wire.Statement{Type: s.Type, View: s.View, Seq: s.Seq, Digest: s.Digest}) {
			n.w.fail("D8.5", n.id, "replica %d shows it a %v of its own for (%d, %d), which its journal lacks, and it goes on",
				r.From.Replica, s.Type, s.View, s.Seq)
		}
	}
}

// binds reports whether a replica that lacks a statement of its own could contradict it. Of pre-prepares and new views,
// which others may have given back to it, nothing is said.
func binds(s *wire.Statement, in *port.Inspection) bool {
	switch s.Type {
	case wire.TypePrepare, wire.TypeCommit:
		return s.Seq > in.Stable && s.View >= max(in.View, in.Since)
	case wire.TypeCheckpoint:
		return s.Seq > max(in.Executed, in.Until)
	case wire.TypeViewChange:
		return s.View > max(in.View, in.Since)
	default:
		return false
	}
}

// said lists the votes in a replica's journal, without signatures.
func (n *node) said() (all []wire.Statement) {
	entries, _ := written(n.disk)
	for _, data := range entries {
		rec, err := wire.DecodeRecord(data)
		if sent, is := rec.(*wire.Sent); err == nil && is {
			switch m := sent.Msg.(type) {
			case *wire.Prepare:
				all = append(all, wire.Statement{Type: wire.TypePrepare, View: m.View, Seq: m.Seq, Digest: m.Digest})
			case *wire.Commit:
				all = append(all, wire.Statement{Type: wire.TypeCommit, View: m.View, Seq: m.Seq, Digest: m.Digest})
			default:
			}
		}
	}
	return all
}
