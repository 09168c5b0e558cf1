package driver

import (
	"errors"
	"fmt"

	"tagma/pbft/wire"
)

// tape is a journal in memory. Only encoded records survive a restart. A test can choose an Append at which a fault
// happens.
type tape struct {
	segments []segment
	full     [][]byte // every record ever written, truncated or not
	room     int      // bytes of records in a segment; 0: no limit
	rotated  int      // how many segments were begun because the one before was full

	appends int
	strike  func(n int, turn []wire.Record) blow // the fault at the n-th Append; nil: there are no faults
	failed  bool
}

type segment struct {
	records [][]byte
	bytes   int
	highest wire.Seq
}

// blow is a fault that happens at an Append.
type blow int

const (
	none        blow = iota
	fails            // an error; the turn is not on the disk
	failsBehind      // an error, although the turn is on the disk
	diesBefore       // the process ends before the turn is durable; what was not synced is lost
	diesAfter        // the process ends when the turn is durable and none of its effects was performed
	diesAmid         // the process ends after the first effect was performed
)

// crash is the panic that ends a process.
type crash struct{}

var errDisk = errors.New("the disk failed")

func (tp *tape) Append(turn []wire.Record, anchor func() []wire.Record) error {
	if tp.failed {
		return errDisk
	}
	tp.appends++
	b := none
	if tp.strike != nil {
		b = tp.strike(tp.appends, turn)
	}
	if b == diesBefore {
		panic(crash{})
	}
	if b != fails {
		tp.write(turn, anchor)
	}
	switch b {
	case fails, failsBehind:
		tp.failed = true
		return errDisk
	case diesAfter:
		panic(crash{})
	}
	return nil
}

func (tp *tape) write(turn []wire.Record, anchor func() []wire.Record) {
	if last := len(tp.segments) - 1; tp.room > 0 && tp.segments[last].bytes > tp.room {
		tp.rotated++
		tp.begin(append(anchor(), turn...))
		return
	}
	tp.add(turn)
}

func (tp *tape) begin(anchor []wire.Record) {
	tp.segments = append(tp.segments, segment{})
	tp.add(anchor)
	// The bytes of an anchor do not count, so that a large one leaves as much room as a small one.
	tp.segments[len(tp.segments)-1].bytes = 0
}

func (tp *tape) add(records []wire.Record) {
	s := &tp.segments[len(tp.segments)-1]
	for _, r := range records {
		b := wire.EncodeRecord(r)
		tp.full = append(tp.full, b)
		s.records = append(s.records, b)
		s.bytes += len(b)
		s.highest = max(s.highest, wire.RecordSeq(r))
	}
}

// Truncate always begins a segment, so that every run tests anchors.
func (tp *tape) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	tp.begin(anchor())
	for len(tp.segments) > 1 && tp.segments[0].highest <= below {
		tp.segments = tp.segments[1:]
	}
	return nil
}

// read decodes what is durable: all segments, or only the given number of newest ones.
func (tp *tape) read(newest int) []wire.Record {
	from := 0
	if newest > 0 {
		from = max(0, len(tp.segments)-newest)
	}
	var all [][]byte
	for _, s := range tp.segments[from:] {
		all = append(all, s.records...)
	}
	return decode(all)
}

func decode(encoded [][]byte) []wire.Record {
	log := make([]wire.Record, len(encoded))
	for i, b := range encoded {
		r, err := wire.DecodeRecord(b)
		if err != nil {
			panic(fmt.Sprintf("record %d: %v", i, err))
		}
		log[i] = r
	}
	return log
}
