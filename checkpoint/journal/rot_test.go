package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"tagma/internal/alone"
)

// smallJournal returns a disk with a closed journal, and the scans of its segments. There are three segments of 16
// sectors; each has an anchor of two sectors and three turns, of which the last has three sectors.
func smallJournal(t testing.TB) (*disk, chain) {
	t.Helper()
	d := newDisk()
	j, err := Create(testDir, anchor(), Options{SegmentBytes: 16 * sectorBytes, FS: d})
	must(t, err)
	for number := range 3 {
		if number > 0 {
			must(t, j.Rotate(anchor()))
		}
		for _, size := range []int{100, 600, 1300} {
			must(t, j.Append([]Entry{{Seq: uint64(number + 1), Data: bytes.Repeat([]byte{0xa5}, size)}}))
		}
	}
	must(t, j.Close())
	c, err := readAll(d, testDir)
	must(t, err)
	return d, c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bytesOf returns the segment's file as the running system reads it.
func (d *disk) bytesOf(s *scan) []byte { return d.names[s.path].cached }

// opens opens the journal and closes it again.
func (d *disk) opens() ([]Entry, error) {
	j, entries, err := Open(testDir, Options{FS: d})
	if err != nil {
		return nil, err
	}
	return entries, j.Close()
}

// wantRot checks that err names this sector of this segment.
func wantRot(t *testing.T, err error, s *scan, sector int64) {
	t.Helper()
	var rot *RotError
	if !errors.Is(err, ErrRot) || !errors.As(err, &rot) {
		t.Fatalf("%s sector %d: damage was not noticed: %v", s.info.Name, sector, err)
	}
	if rot.File != s.path || rot.Sector != sector || rot.Offset != sector*sectorBytes {
		t.Fatalf("%s sector %d: noticed elsewhere: %v", s.info.Name, sector, err)
	}
}

// D8, D9: a start notices one flipped bit in any byte of any sector, also in a sector that was never written and in
// the last turn.
func TestD8_OneFlippedBitAnywhereIsRot(t *testing.T) {
	alone.Test(t)
	d, c := smallJournal(t)
	for _, s := range c {
		file := d.bytesOf(s)
		for at := range file {
			bit := byte(1) << (at % 8)
			file[at] ^= bit
			_, err := d.opens()
			file[at] ^= bit
			wantRot(t, err, s, int64(at/sectorBytes))
		}
	}
	if _, err := d.opens(); err != nil {
		t.Fatal(err)
	}
}

// D9: a zero sector counts as a torn tail only in the highest turn; in any other turn it is rot.
func TestD9_ZeroSectorIsTornOnlyInTheHighestTurn(t *testing.T) {
	d, c := smallJournal(t)
	all, err := d.opens()
	must(t, err)
	for i, s := range c {
		for sector := range s.header.sectors {
			at := sector * sectorBytes
			kept := slices.Clone(d.bytesOf(s))
			if isZero(kept[at : at+sectorBytes]) {
				continue
			}
			clear(d.bytesOf(s)[at : at+sectorBytes])
			entries, err := d.opens()
			switch torn := i == len(c)-1 && sector >= s.last && sector < s.next; {
			case !torn:
				wantRot(t, err, s, sector)
			case err != nil:
				t.Fatalf("sector %d: %v", sector, err)
			case len(entries) != len(all)-1:
				t.Fatalf("sector %d: %d entries, want all of %d but the last", sector, len(entries), len(all))
			case !isZeroFrom(d.bytesOf(s), s.last):
				t.Fatalf("sector %d: the torn turn was not zeroed", sector)
			}
			copy(d.bytesOf(s), kept)
		}
	}
}

func isZeroFrom(file []byte, sector int64) bool {
	return !slices.ContainsFunc(file[sector*sectorBytes:], func(b byte) bool { return b != 0 })
}

// D9: a whole turn of zeros is noticed as well, because a later turn follows in the same segment or in the next one.
func TestD9_AZeroedWholeTurnIsRot(t *testing.T) {
	d, c := smallJournal(t)
	s := c[1]
	kept := slices.Clone(d.bytesOf(s))
	clear(d.bytesOf(s)[s.last*sectorBytes : s.next*sectorBytes])
	_, err := d.opens()
	wantRot(t, err, s, s.last)

	clear(d.bytesOf(s)[s.sealAt()*sectorBytes:])
	_, err = d.opens()
	wantRot(t, err, s, s.last)

	copy(d.bytesOf(s), kept)
	clear(d.bytesOf(s)[s.sealAt()*sectorBytes:])
	clear(d.bytesOf(s)[(s.last+1)*sectorBytes : s.next*sectorBytes])
	_, err = d.opens()
	wantRot(t, err, s, s.last+1)

	copy(d.bytesOf(s), kept)
	clear(d.bytesOf(s)[3*sectorBytes : 4*sectorBytes]) // the first turn has one sector
	_, err = d.opens()
	wantRot(t, err, s, 3)
}

// D9: a damaged sector in a turn with zero sectors is rot, although a turn with zero sectors is normally dropped. The
// damaged sector may belong to a vote that was sent.
func TestD9_ABadSectorInATornTurnIsRot(t *testing.T) {
	d, c := smallJournal(t)
	s := c[2]
	clear(d.bytesOf(s)[s.last*sectorBytes : (s.last+1)*sectorBytes])
	clear(d.bytesOf(s)[(s.last+1)*sectorBytes : (s.last+1)*sectorBytes+100]) // half written
	_, err := d.opens()
	wantRot(t, err, s, s.last+1)
}

// D9: a valid sector in the wrong place is rot, whether it comes from another segment or from an older turn.
func TestD9_AMisplacedSectorIsRot(t *testing.T) {
	d, c := smallJournal(t)
	s, other := c[2], c[1]
	kept := slices.Clone(d.bytesOf(s))
	for _, from := range [][]byte{d.bytesOf(other)[3*sectorBytes:], kept[4*sectorBytes:]} {
		copy(d.bytesOf(s)[3*sectorBytes:], from[:sectorBytes])
		_, err := d.opens()
		wantRot(t, err, s, 3)
	}
}

// D9: a sector that differs only in the epoch of its segment is rot. So is a sector that another start of the process
// wrote for the same turn.
func TestD9_AStaleSectorIsRot(t *testing.T) {
	for _, stale := range []func(*sector){func(h *sector) { h.epoch++ }, func(h *sector) { h.start++ }} {
		d, c := smallJournal(t)
		s := c[2]
		b := d.bytesOf(s)[(s.last+1)*sectorBytes:]
		h, _ := parseSector(b[:sectorBytes])
		stale(&h)
		h.seal(b)
		_, err := d.opens()
		wantRot(t, err, s, s.last+1)
	}
	d, c := smallJournal(t)
	b := d.bytesOf(c[2])[3*sectorBytes:] // a turn of one sector
	h, _ := parseSector(b[:sectorBytes])
	h.epoch++
	h.seal(b)
	_, err := d.opens()
	wantRot(t, err, c[2], 3)
}

// D9: a start refuses a segment of another journal, even if its file has the right name.
func TestD9_AForeignSegmentDoesNotContinueTheChain(t *testing.T) {
	d, c := smallJournal(t)
	foreign, _ := smallJournal(t)
	d.names[c[1].path].cached = foreign.bytesOf(c[1])
	_, err := d.opens()
	wantRot(t, err, c[1], 0)

	d, c = smallJournal(t)
	d.names[c[1].path] = d.names[c[2].path]
	_, err = d.opens()
	wantRot(t, err, c[1], 0)
}

// D8: it is rot if the file of a segment is shorter or longer than it was made.
func TestD8_AFileOfAnotherLengthIsRot(t *testing.T) {
	for _, length := range []int64{0, 1, 512, 1536, 8191, 7 * sectorBytes, 17 * sectorBytes} {
		for i := range 3 {
			d, c := smallJournal(t)
			n := d.names[c[i].path]
			n.cached = slices.Grow(n.cached, int(length))[:length]
			_, err := d.opens()
			wantRot(t, err, c[i], min(length/sectorBytes, 16))
		}
	}
}

// A journal of a later format is not reported as damaged, because a newer program can read it.
func TestFormatVersionOfTheHeader(t *testing.T) {
	d, c := smallJournal(t)
	b := d.bytesOf(c[0])
	b[4] = version + 1
	binary.LittleEndian.PutUint32(b, checksum(b))
	_, err := d.opens()
	if err == nil || errors.Is(err, ErrRot) {
		t.Fatal(err)
	}
}

// Verify visits the entries before the damage and then returns an error that says where the damage is.
func TestVerifyStopsAtRot(t *testing.T) {
	d, c := smallJournal(t)
	d.bytesOf(c[1])[3*sectorBytes+40] ^= 1
	visited := 0
	r, err := verify(d, testDir, func(Segment, Entry) error { visited++; return nil })
	wantRot(t, err, c[1], 3)
	if want := 5 + 2; visited != want || len(r.Segments) != 2 || r.Segments[1].Name != filepath.Base(c[1].path) {
		t.Fatalf("visited %d, want %d; %+v", visited, want, r)
	}
}

// Verify reports a torn tail and changes nothing.
func TestVerifyToleratesATornTail(t *testing.T) {
	d, c := smallJournal(t)
	s := c[2]
	clear(d.bytesOf(s)[s.last*sectorBytes : (s.last+1)*sectorBytes])
	calls := d.calls
	r, err := verify(d, testDir, func(Segment, Entry) error { return nil })
	must(t, err)
	if r.TornTurn != s.info.LastTurn || r.TornSectors != 3 || d.calls != calls {
		t.Fatalf("%+v, %d calls", r, d.calls-calls)
	}
}
