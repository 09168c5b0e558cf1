package journal

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// openEntry returns an open journal with one indexed entry of three sectors in a larger turn, the file of its segment,
// and the first sector of the entry.
func openEntry(t *testing.T) (j *Journal, s *scan, file []byte, first int64) {
	t.Helper()
	d, c := smallJournal(t)
	j, _, err := Open(testDir, Options{FS: d, SegmentBytes: 16 * sectorBytes, Index: everything})
	must(t, err)
	entry := Entry{Seq: 9, Data: bytes.Repeat([]byte{7}, 800)}
	must(t, j.Append([]Entry{{Seq: 8, Data: make([]byte, 400)}, entry, {Seq: 10}}))
	s = c[2]
	return j, s, d.bytesOf(s), s.next
}

// X0, D8: if any byte in the sectors of an entry is damaged, Read returns an error that names the sector, and no
// entry. It does not look at other sectors.
func TestX0_ReadFindsRotInTheSectorsOfItsEntry(t *testing.T) {
	j, s, file, first := openEntry(t)
	for at := range file {
		file[at] ^= 4
		got, err := j.Read(9)
		file[at] ^= 4
		if sector := int64(at / sectorBytes); sector >= first && sector < first+3 {
			wantRot(t, err, s, sector)
		} else if err != nil || len(got) != 1 {
			t.Fatalf("sector %d: %v", sector, err)
		}
	}
}

// X0, D9: Read returns ErrRot for a valid sector in the wrong place: one of another turn, kind, segment or start of
// the process. It also does so if the sectors hold another entry.
func TestX0_ReadBelievesNoMisplacedSector(t *testing.T) {
	j, s, file, first := openEntry(t)
	for name, spoil := range map[string]func(*sector){
		"epoch": func(h *sector) { h.epoch++ },
		"kind":  func(h *sector) { h.kind = kindAnchor },
		"turn":  func(h *sector) { h.turn-- },
		"index": func(h *sector) { h.index++ },
		"start": func(h *sector) { h.start++ },
		"bytes": func(h *sector) { h.bytes++ },
	} {
		b := file[(first+1)*sectorBytes : (first+2)*sectorBytes]
		kept := slices.Clone(b)
		h, _ := parseSector(b)
		spoil(&h)
		h.seal(b)
		_, err := j.Read(9)
		copy(b, kept)
		if !errors.Is(err, ErrRot) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantRot(t, err, s, first+1)
	}

	kept := slices.Clone(file)
	h := sector{kind: kindTurn, start: j.start, epoch: s.epoch, turn: s.info.LastTurn + 1}
	for _, other := range [][]Entry{
		{{Seq: 8, Data: make([]byte, 400)}, {Seq: 11, Data: make([]byte, 800)}, {Seq: 10}},
		{{Seq: 8, Data: make([]byte, 401)}, {Seq: 9, Data: make([]byte, 799)}, {Seq: 10}},
		{{Seq: 8, Data: make([]byte, 1220)}},
	} {
		copy(file, kept)
		copy(file[first*sectorBytes:], appendTurn(nil, h, other))
		if got, err := j.Read(9); !errors.Is(err, ErrRot) {
			t.Errorf("%d entries, %v", len(got), err)
		}
	}

	copy(file, kept)
	for at := first; at < first+3; at++ { // a turn that ends within the entry
		b := file[at*sectorBytes : (at+1)*sectorBytes]
		h, _ := parseSector(b)
		h.bytes -= 2 * entryHead
		h.seal(b)
	}
	_, err := j.Read(9)
	wantRot(t, err, s, first)
}

// X0, D8: a file that became shorter is rot to Read.
func TestX0_ReadFindsACutFile(t *testing.T) {
	d, c := smallJournal(t)
	j, _, err := Open(testDir, Options{FS: d, Index: everything})
	must(t, err)
	s := c[1]
	n := d.names[s.path]
	n.cached = n.cached[:(s.last+1)*sectorBytes+100]
	_, err = j.Read(2)
	wantRot(t, err, s, s.last+1)
}
