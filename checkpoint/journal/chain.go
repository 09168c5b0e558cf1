package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

// listing is the content of the journal's directory.
type listing struct {
	numbers []uint64 // of the segments, rising without a gap
	temps   []string // unfinished files
}

// list reads the directory. It refuses a directory in which a segment is missing or which holds files that are not the
// journal's.
func list(fs FS, dir string) (listing, error) {
	var l listing
	names, err := fs.ReadDir(dir)
	if err != nil {
		return l, err
	}
	for _, name := range names { // sorted, also by number, since the numbers have a fixed width
		n, ok := parseName(name)
		switch {
		case ok:
			l.numbers = append(l.numbers, n)
		case isTemp(name):
			l.temps = append(l.temps, name)
		default:
			return l, fmt.Errorf("%s is there: %w; move it away", name, ErrForeign)
		}
	}
	for i, n := range l.numbers {
		if want := l.numbers[0] + uint64(i); n != want {
			return l, fmt.Errorf("%w: %s lies between two that exist; %s", ErrMissing, segmentName(want), lostVotes)
		}
	}
	if len(l.numbers) == 0 {
		return l, ErrEmpty
	}
	return l, nil
}

const lostVotes = "this replica may have forgotten votes and must not run on this disk again"

// chain is the whole journal as it is on the disk, oldest segment first.
type chain []*scan

// readChain reads and checks every retained segment. With an error the chain holds the intact part before it.
func readChain(fs FS, dir string, numbers []uint64) (chain, error) {
	c := make(chain, 0, len(numbers))
	for _, n := range numbers {
		s, err := readSegment(fs, filepath.Join(dir, segmentName(n)), segmentName(n))
		if s != nil {
			c = append(c, s)
		}
		if err != nil {
			return c, err
		}
	}
	return c, c.check()
}

func readSegment(fs FS, path, name string) (*scan, error) {
	f, err := fs.Open(path, false)
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s, err := scanSegment(path, f, size, name)
	s.file, s.window = nil, nil
	return s, errors.Join(err, f.Close())
}

// check checks what only neighbouring segments can show: that each segment continues the one before it, that no turn is
// missing between two, and that torn turns and missing seals are only where a crash can leave them.
func (c chain) check() error {
	for i, s := range c[:len(c)-1] {
		next := c[i+1]
		switch {
		case s.torn != 0:
			return s.rot(s.hole, "a sector of turn %d is zero, but a later segment was written", s.info.LastTurn+1)
		case next.header.previous != s.epoch:
			return next.rot(0, "it does not continue %s", s.info.Name)
		case next.info.FirstTurn > s.info.LastTurn+1:
			return s.rot(s.next, "it is zero, but turns %d to %d were written here", s.info.LastTurn+1, next.info.FirstTurn-1)
		case next.info.FirstTurn != s.info.LastTurn+1:
			return next.rot(0, "it begins with turn %d, but turn %d must follow", next.info.FirstTurn, s.info.LastTurn+1)
		case !s.sealed && (i+2 < len(c) || next.begun()):
			return s.rot(s.sealAt(), "the seal is zero, but a later segment is in use")
		}
	}
	if last := c[len(c)-1]; last.sealed {
		return fmt.Errorf("%w: %s must follow %s; %s", ErrMissing,
			segmentName(last.info.Number+1), last.info.Name, lostVotes)
	}
	return nil
}

// begun reports whether the journal has any turn after the anchor of its segment.
func (s *scan) begun() bool { return s.torn != 0 || s.info.LastTurn > s.info.FirstTurn }

func (c chain) entries() []Entry {
	n := 0
	for _, s := range c {
		n += len(s.entries)
	}
	all := make([]Entry, 0, n)
	for _, s := range c {
		all = append(all, s.entries...)
	}
	return all
}
