package driver

import (
	"errors"
	"fmt"

	"tagma/pbft/wire"
)

// tape is a journal in memory. Nothing of it survives a restart but encoded records; it can strike at an Append.
type tape struct {
	segments []segment
	full     [][]byte // every record ever written, truncated or not
	room     int      // bytes of records in a segment; 0: no end
	rotated  int      // segments begun for want of room

	appends int
	strike  func(n int, turn []wire.Record) blow // at the n-th Append; nil: never
	failed  bool
}

type segment struct {
	records [][]byte
	bytes   int
	highest wire.Seq
}

// blow is what happens at an Append.
type blow int

const (
	none        blow = iota
	fails            // an error; the turn is not on the disk
	failsBehind      // an error; the turn is on the disk all the same
	diesBefore       // the process ends before the turn is durable: the unsynced tail is lost
	diesAfter        // the process ends when the turn is durable and nothing of it was performed
	diesAmid         // the process ends after the first thing that was performed
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
	tp.segments[len(tp.segments)-1].bytes = 0 // a large anchor leaves as much room as a small one
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

// Truncate begins a segment each time, so that every run is a test of anchors.
func (tp *tape) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	tp.begin(anchor())
	for len(tp.segments) > 1 && tp.segments[0].highest <= below {
		tp.segments = tp.segments[1:]
	}
	return nil
}

// read decodes what is durable; the newest segments only if so many are asked for.
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
