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

// Crash stops the process or the machine and gives the disk back as its next owner finds it.
func (d *Disk) Crash(l Loss, chance *rand.Rand) {
	d.locked = false
	if l == Kill {
		d.Settle()
		return
	}
	if d.flight != nil { // a sync that did not come to its end is as good as none
		d.flight.dirty = append(slices.Clone(d.sectors), d.flight.dirty...)
		d.flight, d.sectors = nil, d.sectors[:0]
	}
	d.pending = append(d.nameFlight, d.pending...)
	d.nameFlight = nil
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		n := d.names[path]
		n.settle(spansOf(survivors(sectorsOf(n.dirty), l, chance)))
		n.dirty = nil
	}
	for _, c := range survivors(d.pending, l, chance) {
		c.apply(d.durable)
	}
	d.pending, d.names = nil, maps.Clone(d.durable)
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		n := d.names[path]
		n.cached, n.dirty = slices.Clone(n.stable), nil
	}
}

// sectorsOf lists the sectors of spans, each once, ascending.
func sectorsOf(spans []span) []int {
	var all []int
	for _, s := range spans {
		for i := s.from; i < s.to; i++ {
			all = append(all, i)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func spansOf(sectors []int) []span {
	spans := make([]span, len(sectors))
	for i, s := range sectors {
		spans[i] = span{s, s + 1}
	}
	return spans
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
