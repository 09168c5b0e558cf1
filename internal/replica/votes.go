package replica

import (
	"errors"
	"fmt"
	"sync/atomic"

	"tagma/checkpoint/journal"
	"tagma/pbft/wire"
)

// Votes is the journal as the driver's port: it encodes records and begins segments when they are due. One that does
// not exist yet begins with the first record (D8.2). All methods but Batch and Keep belong to the driver.
type Votes struct {
	journal atomic.Pointer[journal.Journal]
	begin   func(anchor []wire.Record) (*journal.Journal, error) // makes a journal that does not exist yet
	bytes   atomic.Int64                                         // of all segments
	keep    atomic.Uint64                                        // what lies above is not deleted; 0: nothing is held back
	entries []journal.Entry                                      // of the last turn
	encoded []byte                                               // their bytes
	// Rotated, if not nil, is called when a segment has begun: the file of the next one may be made beside the turns.
	Rotated func()
	// Written, if not nil, is given what the journal holds of a turn once it was written.
	Written func(records []wire.Record)
}

// Append makes one turn durable. If the segment is full, the next one begins with an anchor that holds the turn too, so
// that there is no moment at which the journal knows of one without the other.
func (v *Votes) Append(turn []wire.Record, anchor func() []wire.Record) error {
	j := v.journal.Load()
	if j == nil {
		return v.create(anchor())
	}
	err := j.Append(v.encode(turn))
	if errors.Is(err, journal.ErrFull) {
		return v.rotate(j, anchor())
	}
	if err == nil {
		v.written(turn)
	}
	return err
}

// create begins the journal of a first start.
func (v *Votes) create(anchor []wire.Record) error {
	j, err := v.begin(anchor)
	if err != nil {
		return err
	}
	v.adopt(j)
	v.written(anchor)
	if v.Rotated != nil {
		v.Rotated()
	}
	return nil
}

func (v *Votes) rotate(j *journal.Journal, anchor []wire.Record) error {
	if err := j.Rotate(v.encode(anchor)); err != nil {
		return err
	}
	v.measure(j)
	v.written(anchor)
	if v.Rotated != nil {
		v.Rotated()
	}
	return nil
}

func (v *Votes) adopt(j *journal.Journal) {
	v.journal.Store(j)
	v.measure(j)
}

// measure notes how long the journal is, for readers on other goroutines.
func (v *Votes) measure(j *journal.Journal) {
	sum := int64(0)
	for _, s := range j.Segments() {
		sum += s.Bytes
	}
	v.bytes.Store(sum)
}

// Bytes is how much room the journal takes. It may be called beside the turns.
func (v *Votes) Bytes() int64 { return v.bytes.Load() }

func (v *Votes) written(records []wire.Record) {
	if v.Written != nil {
		v.Written(records)
	}
}

// Truncate deletes segments that hold nothing above below. The current one is ended first if it is well used. What a
// donor still serves is kept (X2).
func (v *Votes) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	j := v.journal.Load()
	if j == nil {
		return nil
	}
	if j.NeedsRotation() {
		if err := v.rotate(j, anchor()); err != nil {
			return err
		}
	}
	if keep := wire.Seq(v.keep.Load()); keep > 0 {
		below = min(below, keep-1)
	}
	removed, err := j.Truncate(uint64(below))
	if removed > 0 {
		v.measure(j)
	}
	return err
}

// Keep holds back the deletion of what lies above a sequence number; Release ends it.
func (v *Votes) Keep(above wire.Seq) { v.keep.Store(uint64(above) + 1) }

// Release lets everything be deleted.
func (v *Votes) Release() { v.keep.Store(0) }

// Prepare makes the file of the next segment, so that no turn waits for it. It may run beside the turns.
func (v *Votes) Prepare() error {
	if j := v.journal.Load(); j != nil {
		return j.Preallocate()
	}
	return nil
}

// Segments describes what is kept.
func (v *Votes) Segments() []journal.Segment {
	if j := v.journal.Load(); j != nil {
		return j.Segments()
	}
	return nil
}

// Close releases the files.
func (v *Votes) Close() error {
	if j := v.journal.Load(); j != nil {
		return j.Close()
	}
	return nil
}

// Batch reads a committed batch with its certificate; nil if the journal does not hold them. It may run beside the
// turns.
func (v *Votes) Batch(seq wire.Seq) (*wire.CertifiedBody, error) {
	j := v.journal.Load()
	if j == nil {
		return nil, nil
	}
	found, err := j.Read(uint64(seq))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	log, err := decode(found)
	if err != nil {
		return nil, err
	}
	return wire.Rebuild(seq, log), nil
}

// encode is what the journal is given of records. It is valid until the next call.
func (v *Votes) encode(records []wire.Record) []journal.Entry {
	v.entries, v.encoded = v.entries[:0], v.encoded[:0]
	for _, r := range records {
		start := len(v.encoded)
		v.encoded = wire.AppendRecord(v.encoded, r)
		data := v.encoded[start:] // where it stands, should the rest be moved
		v.entries = append(v.entries, journal.Entry{Seq: uint64(wire.RecordSeq(r)), Data: data})
	}
	if cap(v.encoded) > keepEncoded {
		v.encoded = nil
	}
	return v.entries
}

// keepEncoded bounds the memory that an exceptionally large turn leaves behind.
const keepEncoded = 4 << 20

func decode(entries []journal.Entry) ([]wire.Record, error) {
	out := make([]wire.Record, len(entries))
	for i, e := range entries {
		r, err := wire.DecodeRecord(e.Data)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the journal: %w; was it written by another version?", i, err)
		}
		out[i] = r
	}
	return out, nil
}
