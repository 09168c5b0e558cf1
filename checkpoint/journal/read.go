package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Read returns the indexed entries of a sequence number in retained segments, oldest first, and at most the newest
// eight. It reads them from the files. It returns nil if there are none or the journal has no index. It reads only
// the sectors with these entries and checks each; if one is damaged, the error is ErrRot and nothing is returned.
//
// Read may run on a goroutine of its own at the same time as all other methods. If Truncate deletes a segment
// meanwhile, its entries are left out; that is not an error.
func (j *Journal) Read(seq uint64) ([]Entry, error) {
	j.index.reading.Lock()
	defer j.index.reading.Unlock()
	entries, err := j.read(seq)
	if err != nil {
		return nil, fmt.Errorf("read sequence number %d from journal %s: %w", seq, j.dir, err)
	}
	return entries, nil
}

// Holds reports whether the index has entries of seq, without reading the disk. It may be called from any goroutine.
func (j *Journal) Holds(seq uint64) bool {
	j.index.mu.Lock()
	defer j.index.mu.Unlock()
	return len(j.index.places[seq]) > 0
}

// Lowest returns the lowest indexed sequence number, 0 if there is none. It may be called from any goroutine.
func (j *Journal) Lowest() uint64 {
	j.index.mu.Lock()
	defer j.index.mu.Unlock()
	return j.index.lowest
}

func (j *Journal) read(seq uint64) (entries []Entry, err error) {
	places, err := j.index.find(seq)
	if err != nil {
		return nil, err
	}
	r := reader{disk: j.opt.FS, dir: j.dir}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, p := range places {
		e, err := r.entry(seq, p)
		switch {
		case err == nil:
			entries = append(entries, e)
		case j.index.retains(p.segment):
			return nil, err
		}
	}
	return entries, nil
}

// reader reads single entries and keeps the segment of the last one open.
type reader struct {
	disk   FS
	dir    string
	file   File // nil: no segment is open
	number uint64
}

func (r *reader) close() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}

func (r *reader) path() string { return filepath.Join(r.dir, segmentName(r.number)) }

func (r *reader) open(number uint64) error {
	if r.file != nil && r.number == number {
		return nil
	}
	if err := r.close(); err != nil {
		return err
	}
	r.number = number
	f, err := r.disk.Open(r.path(), false)
	if err != nil {
		return err
	}
	r.file = f
	return nil
}

func (r *reader) rot(sector int64, why string) error {
	return &RotError{File: r.path(), Sector: sector, Offset: sector * sectorBytes, Why: why}
}

// entry reads the sectors of one entry.
func (r *reader) entry(seq uint64, p located) (Entry, error) {
	if err := r.open(p.segment); err != nil {
		return Entry{}, err
	}
	first := int64(p.offset) / payloadBytes
	end := int64(p.offset) + entryHead + int64(p.bytes) // positions in the payload of the turn
	b := make([]byte, (sectorsFor(end)-first)*sectorBytes)
	at := int64(p.sector) + first
	if n, err := r.file.ReadAt(b, at*sectorBytes); n < len(b) {
		if errors.Is(err, io.EOF) {
			return Entry{}, r.rot(at+int64(n/sectorBytes), "the file ends here")
		}
		return Entry{}, fmt.Errorf("read sector %d of %s: %w", at, r.path(), err)
	}
	payload, err := r.join(b, at, uint32(first), p)
	if err != nil {
		return Entry{}, err
	}
	payload = payload[int64(p.offset)-first*payloadBytes:]
	if binary.LittleEndian.Uint32(payload) != p.bytes || binary.LittleEndian.Uint64(payload[4:]) != seq {
		return Entry{}, r.rot(at, "it holds another entry than was written here")
	}
	return Entry{Seq: seq, Data: payload[entryHead : entryHead+p.bytes : entryHead+p.bytes]}, nil
}

// join checks the sectors in b and moves their payloads together at the front of b. The first is sector number at of
// the segment and number index of its turn.
func (r *reader) join(b []byte, at int64, index uint32, p located) ([]byte, error) {
	joined := b[:0]
	want := p.head
	for i := range len(b) / sectorBytes {
		raw := b[i*sectorBytes : (i+1)*sectorBytes]
		h, wrong := parseSector(raw)
		if i == 0 { // the first sector says what these fields must be in all sectors of the turn
			want.start, want.bytes = h.start, h.bytes
		}
		want.index = index + uint32(i)
		if wrong == "" {
			wrong = h.differs(want)
		}
		if wrong == "" && int64(h.bytes) < int64(p.offset)+entryHead+int64(p.bytes) {
			wrong = fmt.Sprintf("its turn has %d bytes only, the entry was written behind them", h.bytes)
		}
		if wrong != "" {
			return nil, r.rot(at+int64(i), wrong)
		}
		joined = append(joined, raw[sectorHead:]...)
	}
	return joined, nil
}
