package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Segment describes one segment file.
type Segment struct {
	Name      string // file name within the journal's directory
	Number    uint64 // rises by one from segment to segment
	Bytes     int64  // length of the file
	FirstTurn uint64 // number of the anchor's turn
	LastTurn  uint64 // number of the last whole turn; FirstTurn if there is only the anchor
	MaxSeq    uint64 // the highest Seq in the segment, including the anchor's entries
	Entries   int    // number of entries, including the anchor's
}

func (s *Segment) add(entries []Entry) {
	s.Entries += len(entries)
	for i := range entries {
		s.MaxSeq = max(s.MaxSeq, entries[i].Seq)
	}
}

const (
	segmentSuffix = ".segment"
	tempSuffix    = ".tmp" // ends the name of an unfinished segment, on which nothing depends yet
	spareName     = "spare" + tempSuffix
	numberDigits  = 16
	minSectors    = 3 // header, anchor, seal
)

func segmentName(number uint64) string {
	return fmt.Sprintf("%0*d%s", numberDigits, number, segmentSuffix)
}

// parseName returns the number in a segment's file name.
func parseName(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != numberDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n > 0 && segmentName(n) == name
}

// isTemp reports whether name is one of the journal's unfinished files.
func isTemp(name string) bool {
	base, ok := strings.CutSuffix(name, tempSuffix)
	_, segment := parseName(base)
	return ok && (segment || name == spareName)
}

const (
	headerMagic = "TAGMAJNL"
	headerBytes = 32
)

// header is the payload of a segment's sector 0.
type header struct {
	number   uint64
	previous uint64 // epoch of the segment before; 0 for the first segment
	sectors  int64  // of the whole file
}

func (h header) write(b []byte, at sector) {
	clear(b[:sectorBytes])
	p := b[sectorHead:]
	copy(p, headerMagic)
	binary.LittleEndian.PutUint64(p[8:], h.number)
	binary.LittleEndian.PutUint64(p[16:], h.previous)
	binary.LittleEndian.PutUint64(p[24:], uint64(h.sectors))
	at.kind, at.index, at.bytes = kindHeader, 0, headerBytes
	at.seal(b)
}

func parseHeader(b []byte) (header, bool) {
	p := b[sectorHead:]
	return header{
		number:   binary.LittleEndian.Uint64(p[8:]),
		previous: binary.LittleEndian.Uint64(p[16:]),
		sectors:  int64(binary.LittleEndian.Uint64(p[24:])),
	}, string(p[:8]) == headerMagic
}

// epoch returns a random number that is never zero, so that a zero sector belongs to no segment.
func (o *Options) epoch() uint64 {
	for {
		if e := o.Random(); e != 0 {
			return e
		}
	}
}

func randomNumber() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return binary.LittleEndian.Uint64(b[:])
}

// zeros are written into a new file.
var zeros [64 << 10]byte

// blank makes a file of zeroed sectors under path. It really writes the zeros: space that is only reserved would be
// converted at its first write, which would add a write of the file system's own journal to every sync.
func blank(fs FS, path string, sectors int64) (File, error) {
	f, err := fs.Create(path)
	if err != nil {
		return nil, err
	}
	for at, end := int64(0), sectors*sectorBytes; at < end; {
		n := min(int64(len(zeros)), end-at)
		if _, err := f.WriteAt(zeros[:n], at); err != nil {
			// Making the file failed. If it cannot be removed either, the next start removes it.
			return nil, errors.Join(err, f.Close(), fs.Remove(path))
		}
		at += n
	}
	return f, nil
}

// publish writes header and anchor into a zeroed file and then gives the file its name, so that there never is a
// segment without its anchor.
func publish(fs FS, path string, f File, head []byte) error {
	if err := writeSync(f, head, 0); err != nil {
		return err
	}
	if err := fs.Rename(path+tempSuffix, path); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(path))
}
