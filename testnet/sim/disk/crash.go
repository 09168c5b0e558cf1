package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// Loss says what happens to data that are not durable when everything stops.
type Loss string

// The losses.
const (
	Kill  Loss = "kill"  // the process was killed; the system's cache still exists
	All   Loss = "all"   // the power fails; everything that was not durable is lost
	Tail  Loss = "tail"  // the power fails; the end of each file, and the latest changes of names, are lost
	Holes Loss = "holes" // power fails: any unsynced sectors and name changes are lost
)

// Losses lists them.
func Losses() []Loss { return []Loss{Kill, All, Tail, Holes} }

// Crash stops the process or the machine, and leaves the disk as the next start finds it.
func (d *Disk) Crash(l Loss, chance *rand.Rand) {
	d.locked = false
	if l == Kill {
		d.Settle()
		return
	}
	if d.flight != nil {
		d.flight.undo()
		d.flight = nil
	}
	d.pending = append(d.nameFlight, d.pending...)
	d.nameFlight = nil
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		n := d.names[path]
		slices.Sort(n.dirty)
		for _, s := range survivors(slices.Compact(n.dirty), l, chance) {
			n.stable = grown(n.stable, min((s+1)*SectorBytes, len(n.data)))
			copy(sector(n.stable, s), sector(n.data, s))
		}
	}
	d.land(survivors(d.pending, l, chance))
	d.pending, d.names = nil, maps.Clone(d.durable)
	for _, n := range d.names { //nolint:revive // each by itself
		n.data, n.dirty = slices.Clone(n.stable), nil
	}
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
