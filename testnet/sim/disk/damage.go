package disk

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// FailAfter makes every call that changes something fail with err, after so many calls that succeed. A nil error ends
// that.
func (d *Disk) FailAfter(calls int, err error) {
	d.failingFrom, d.failure = d.calls+calls+1, err
	if err == nil {
		d.failingFrom = 0
	}
}

// Fill makes every call fail that needs more room than its file has, or ends that.
func (d *Disk) Fill(full bool) { d.full = full }

// Lie makes every sync return at once and do nothing, or ends that. What was synced meanwhile becomes durable with the
// next real sync of the same file.
func (d *Disk) Lie(lying bool) { d.lying = lying }

// Lied counts the syncs that were lies.
func (d *Disk) Lied() int { return d.lied }

// FlipBit flips one bit in a written sector, which is one that is not all zero. It returns false if there is none.
func (d *Disk) FlipBit(chance *rand.Rand) bool {
	n, place := d.written(chance)
	if n == nil {
		return false
	}
	bit := chance.IntN(8 * SectorBytes)
	for _, held := range [][]byte{n.data, n.stable} {
		if b := sector(held, place); bit/8 < len(b) {
			b[bit/8] ^= 1 << (bit % 8)
		}
	}
	return true
}

// FlipAt flips one bit in a written sector of the newest file, by name. The function place is given the number of bytes
// up to the end of the last written sector, and chooses the bit. FlipAt returns false if place chooses none, or if
// nothing is written there.
func (d *Disk) FlipAt(place func(bytes int) (at int, bit byte, ok bool)) bool {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(d.names))) {
		n := d.names[name]
		written := n.writtenSectors()
		if len(written) == 0 {
			continue
		}
		at, bit, ok := place((written[len(written)-1] + 1) * SectorBytes)
		if !ok || !slices.Contains(written, at/SectorBytes) {
			return false
		}
		for _, held := range [][]byte{n.data, n.stable} {
			if b := sector(held, at/SectorBytes); at%SectorBytes < len(b) {
				b[at%SectorBytes] ^= 1 << bit
			}
		}
		return true
	}
	return false
}

// CutTail clears the last so many written sectors of the file whose name sorts last, and reports how many they were.
func (d *Disk) CutTail(sectors int) (cut int) {
	names := slices.Sorted(maps.Keys(d.names))
	for _, name := range slices.Backward(names) {
		n := d.names[name]
		written := n.writtenSectors()
		for _, s := range slices.Backward(written) {
			if cut == sectors {
				break
			}
			clear(sector(n.data, s))
			clear(sector(n.stable, s))
			cut++
		}
		if cut > 0 {
			return cut
		}
	}
	return 0
}

// written draws one of all written sectors.
func (d *Disk) written(chance *rand.Rand) (*inode, int) {
	type place struct {
		n      *inode
		sector int
	}
	var all []place
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		for _, s := range d.names[name].writtenSectors() {
			all = append(all, place{d.names[name], s})
		}
	}
	if len(all) == 0 {
		return nil, 0
	}
	p := all[chance.IntN(len(all))]
	return p.n, p.sector
}

func (n *inode) writtenSectors() []int {
	var all []int
	for i := 0; (i+1)*SectorBytes <= len(n.data); i++ {
		if slices.ContainsFunc(sector(n.data, i), func(b byte) bool { return b != 0 }) {
			all = append(all, i)
		}
	}
	return all
}

// Copy returns a copy of the disk as it is now, with everything durable. It can be put back later.
func (d *Disk) Copy() *Disk {
	c := New()
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		n := d.names[name]
		c.names[name] = &inode{dir: n.dir, data: slices.Clone(n.data), stable: slices.Clone(n.data)}
	}
	c.durable = maps.Clone(c.names)
	return c
}
