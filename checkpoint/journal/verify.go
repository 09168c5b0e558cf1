package journal

import (
	"fmt"
	"time"
)

// Report is what Verify found.
type Report struct {
	Segments    []Segment // oldest first; up to the damage, if there is any
	TornTurn    uint64    // the turn a crash left unfinished (normal); 0: none
	TornSectors int64     // how many sectors it would have taken
}

// A running owner may be in the middle of a write, a rotation or a removal while we read: what looks wrong is looked at
// again before it counts.
const (
	verifyAttempts = 5
	verifyPause    = 20 * time.Millisecond
)

// Verify reads the journal in dir without changing or locking it, so that it works while the owner runs, and calls visit
// for every entry in order. A torn tail is normal. With damage the entries in front of it are visited all the same, and
// the error says what is wrong; an error of visit ends the visit and is returned.
func Verify(dir string, visit func(Segment, Entry) error) (Report, error) {
	return verify(osFS{}, dir, visit)
}

func verify(fs FS, dir string, visit func(Segment, Entry) error) (Report, error) {
	c, err := readAll(fs, dir)
	for attempt := 1; err != nil && attempt < verifyAttempts; attempt++ {
		time.Sleep(verifyPause)
		c, err = readAll(fs, dir)
	}
	if err != nil {
		err = fmt.Errorf("verify journal %s: %w", dir, err)
	}
	var r Report
	for _, s := range c {
		r.Segments = append(r.Segments, s.info)
		if s.torn != 0 {
			r.TornTurn, r.TornSectors = s.info.LastTurn+1, s.torn
		}
		for _, e := range s.entries {
			if stop := visit(s.info, e); stop != nil {
				return r, stop
			}
		}
	}
	return r, err
}

func readAll(fs FS, dir string) (chain, error) {
	l, err := list(fs, dir)
	if err != nil {
		return nil, err
	}
	return readChain(fs, dir, l.numbers)
}
