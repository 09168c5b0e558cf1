package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Loss says what becomes of what was not durable when everything stops.
type Loss string

// The losses.
const (
	Kill  Loss = "kill"  // the process was killed: the system's cache lives on
	All   Loss = "all"   // power is gone, and all that was not durable
	Tail  Loss = "tail"  // a part at the end of each file, and of the changes of names
	Holes Loss = "holes" // any sectors and changes of names
)

// Losses lists them.
func Losses() []Loss { return []Loss{Kill, All, Tail, Holes} }

// forgotten is what a file lost the knowledge of when its sync failed: it is in the cache and never reaches the disk.
type forgotten struct {
	n      *inode
	writes []undo
}

// Crash stops the process or the machine and gives the disk back as its next owner finds it.
func (d *Disk) Crash(l Loss, chance *rand.Rand) {
	d.locked = false
	if l == Kill {
		d.Settle()
		return
	}
	if d.flight != nil { // a sync that did not come to its end is as good as none
		d.flight.dirty = append(slices.Clone(d.sectors), d.flight.dirty...)
		d.flight = nil
	}
	d.pending = append(d.nameFlight, d.pending...)
	d.nameFlight = nil
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		n := d.names[path]
		kept := map[int]bool{}
		for _, s := range survivors(sectorsOf(n.dirty), l, chance) {
			kept[s] = true
		}
		n.lose(n.dirty, kept)
		n.dirty = nil
	}
	for _, f := range slices.Backward(d.forgotten) {
		if f.n.data != nil { // else the file is removed for good
			f.n.lose(f.writes, nil)
		}
	}
	d.forgotten = nil
	for _, c := range survivors(d.pending, l, chance) {
		c.apply(d.durable)
	}
	d.pending, d.names = nil, maps.Clone(d.durable)
}

// sectorsOf lists the sectors of writes, each once, ascending.
func sectorsOf(writes []undo) []int {
	var all []int
	for _, u := range writes {
		for i := u.from; i < u.to; i++ {
			all = append(all, i)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func survivors[T any](all []T, l Loss, chance *rand.Rand) []T {
	switch {
	case l == All || len(all) == 0:
		return nil
	case l == Tail:
		return all[:chance.IntN(len(all)+1)]
	}
	var kept []T
	for _, x := range all {
		if chance.IntN(2) == 0 {
			kept = append(kept, x)
		}
	}
	return kept
}
