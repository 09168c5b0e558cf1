package sim

import (
	"slices"

	"tagma/checkpoint/journal"
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
