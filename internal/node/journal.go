package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"tagma/checkpoint/journal"
	"tagma/pbft"
)

// votes is the journal as the driver's port: it encodes records and begins segments when they are due.
type votes struct {
	journal *journal.Journal
	spare   chan struct{} // asks for the next segment's file; holds one wish
}

func newVotes(j *journal.Journal) *votes {
	v := &votes{journal: j, spare: make(chan struct{}, 1)}
	v.spare <- struct{}{}
	return v
}

// prepare zeroes the file of the next segment beside the turns until the context ends, so that no turn waits for it. A
// failure costs a slower rotation, or shows there again.
func (v *votes) prepare(ctx context.Context, log *slog.Logger) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-v.spare:
		}
		if err := v.journal.Preallocate(); err != nil {
			log.Warn("the journal's next segment could not be prepared", "error", err)
		}
	}
}

func (v *votes) rotate(anchor []pbft.Record) error {
	err := v.journal.Rotate(entries(anchor))
	select {
	case v.spare <- struct{}{}:
	default:
	}
	return err
}

// Append makes one turn durable. If the segment is full, the next one begins with an anchor that holds the turn too, so
// that there is no moment at which the journal knows of one without the other.
func (v *votes) Append(turn []pbft.Record, anchor func() []pbft.Record) error {
	err := v.journal.Append(entries(turn))
	if errors.Is(err, journal.ErrFull) {
		return v.rotate(anchor())
	}
	return err
}

// Truncate deletes segments that hold nothing above below. The current one is ended first if it is well used.
func (v *votes) Truncate(below pbft.Seq, anchor func() []pbft.Record) error {
	if v.journal.NeedsRotation() {
		if err := v.rotate(anchor()); err != nil {
			return err
		}
	}
	_, err := v.journal.Truncate(uint64(below))
	return err
}

func entries(records []pbft.Record) []journal.Entry {
	out := make([]journal.Entry, len(records))
	for i, r := range records {
		out[i] = journal.Entry{Seq: uint64(pbft.RecordSeq(r)), Data: pbft.EncodeRecord(r)}
	}
	return out
}

func records(entries []journal.Entry) ([]pbft.Record, error) {
	out := make([]pbft.Record, len(entries))
	for i, e := range entries {
		r, err := pbft.DecodeRecord(e.Data)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the journal: %w; was it written by another version?", i, err)
		}
		out[i] = r
	}
	return out, nil
}
