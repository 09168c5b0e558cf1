package journal

import (
	"fmt"
	"time"
)

// Report says what Verify found.
type Report struct {
	Segments    []Segment // oldest first; up to the damage if there is any
	TornTurn    uint64    // number of the turn that a crash left unfinished, which is normal; 0: none
	TornSectors int64     // how many sectors that turn would have taken
}

// A running owner may be in the middle of a write, a rotation or a removal. So Verify reads what looks wrong again
// before it reports it.
const (
	verifyAttempts = 5
	verifyPause    = 20 * time.Millisecond
)

// Verify reads the journal in dir without changing or locking it, so that it works while the owner runs, and calls
// visit for every entry in order. A torn tail is normal. If there is damage, the entries before it are still visited,
// and the error says what is wrong. An error of visit ends Verify and is returned.
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
