package pbft

import (
	"fmt"

	"tagma/pbft/wire"
)

// journal is what a node has made durable: segments of encoded records. Each segment except the first begins with an
// anchor (D9).
type journal struct {
	segments []segment
	notes    []wire.Record // records that will become durable with the next durable record
}

type segment struct {
	records [][]byte
	highest wire.Seq // of its records
}

func (j *journal) persist(r wire.Record) {
	for _, note := range j.notes {
		j.append(note)
	}
	j.notes = nil
	j.append(r)
}

func (j *journal) append(r wire.Record) {
	if len(j.segments) == 0 {
		j.segments = append(j.segments, segment{})
	}
	last := &j.segments[len(j.segments)-1]
	last.records = append(last.records, wire.EncodeRecord(r))
	last.highest = max(last.highest, wire.RecordSeq(r))
}

// truncate makes the pending records durable, begins a segment, and deletes the segments whose records are all at or
// below a sequence number.
func (j *journal) truncate(below wire.Seq, anchor []wire.Record) {
	for _, note := range j.notes {
		j.append(note)
	}
	j.notes = nil
	j.segments = append(j.segments, segment{})
	for _, r := range anchor {
		j.append(r)
	}
	for len(j.segments) > 1 && j.segments[0].highest <= below {
		j.segments = j.segments[1:]
	}
}

// read decodes the journal. Only bytes survive a restart.
func (j *journal) read() ([]wire.Record, error) {
	var log []wire.Record
	for _, s := range j.segments {
		for i, b := range s.records {
			r, err := wire.DecodeRecord(b)
			if err != nil {
				return nil, fmt.Errorf("journal record %d: %w", i, err)
			}
			log = append(log, r)
		}
	}
	return log, nil
}
