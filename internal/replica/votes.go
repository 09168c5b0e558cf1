package replica

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"tagma/checkpoint/journal"
	"tagma/pbft/wire"
)

// Votes is the journal behind the driver's port: it encodes records and begins segments when they are due. A journal
// that does not exist yet begins with the first record (D8.2). Only the driver may call its methods, except Batch,
// Keep, Prepare, Bytes and Flush.
type Votes struct {
	journal atomic.Pointer[journal.Journal]
	begin   func(anchor []wire.Record) (*journal.Journal, error) // makes a journal if none exists yet
	bytes   atomic.Int64                                         // of all segments
	// Records above this sequence number are not deleted; 0: no deletion is prevented.
	keep atomic.Uint64

	writing sync.Mutex // held while the journal is written
	lag     lag        // turns that were handed over and are not written yet
	// Rotated, if not nil, is called when a segment has begun, so that the file of the next one can be made meanwhile.
	Rotated func()
	// Written, if not nil, is called with the records of a turn once they were written.
	Written func(records []wire.Record)
	// Waits, if not nil, is called when Flush has something to write.
	Waits func()
}

// Append makes one turn durable, together with all that waits before it. If the segment is full, the next one begins
// with an anchor and also holds these turns. So the journal never has the anchor without these turns.
func (v *Votes) Append(turn []wire.Record, anchor func() []wire.Record) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	b := v.lag.take()
	defer v.lag.giveBack(b)
	b.add(turn)
	j := v.journal.Load()
	switch {
	case len(b.entries) == 0:
		return nil
	case j == nil:
		return v.create(append(anchor(), b.records...))
	}
	err := j.Append(b.entries)
	if errors.Is(err, journal.ErrFull) {
		return v.rotate(j, append(anchor(), b.records...))
	}
	if err == nil {
		v.written(b.records)
	}
	return err
}

// Later accepts a turn that Flush or the next Append makes durable (D8.14). It writes the turn itself if too much waits,
// or if a new segment is due, because only it has the anchor.
func (v *Votes) Later(turn []wire.Record, anchor func() []wire.Record) error {
	due, err := v.lag.add(turn)
	if err != nil {
		return err
	}
	if due || v.journal.Load() == nil && len(turn) > 0 {
		return v.Append(nil, anchor)
	}
	if len(turn) > 0 && v.Waits != nil {
		v.Waits()
	}
	return nil
}

// Flush makes the waiting turns durable, as one turn. It may run on another goroutine than the driver's. Any error is
// final, and Later also returns it.
func (v *Votes) Flush() error {
	v.writing.Lock()
	defer v.writing.Unlock()
	b := v.lag.take()
	j := v.journal.Load()
	if len(b.entries) == 0 || j == nil {
		v.lag.giveBack(b)
		return nil
	}
	err := j.Append(b.entries)
	switch {
	case errors.Is(err, journal.ErrFull):
		v.lag.putBack(b)
		return nil
	case err != nil:
		v.lag.fail(err)
		return err
	}
	v.written(b.records)
	v.lag.giveBack(b)
	return nil
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
	if err := j.Rotate(encode(anchor)); err != nil {
		return err
	}
	v.lag.rotated()
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

// measure updates the length of the journal that readers on other goroutines get.
func (v *Votes) measure(j *journal.Journal) {
	sum := int64(0)
	for _, s := range j.Segments() {
		sum += s.Bytes
	}
	v.bytes.Store(sum)
}

// Bytes is how many bytes the journal takes. It may be called from any goroutine.
func (v *Votes) Bytes() int64 { return v.bytes.Load() }

func (v *Votes) written(records []wire.Record) {
	if v.Written != nil {
		v.Written(records)
	}
}

// Truncate deletes segments that hold only records up to below. If the current segment is well used, Truncate first
// begins a new one. Records that a donor still serves are kept (X2).
func (v *Votes) Truncate(below wire.Seq, anchor func() []wire.Record) error {
	j := v.journal.Load()
	if j == nil {
		return nil
	}
	v.writing.Lock()
	defer v.writing.Unlock()
	if j.NeedsRotation() {
		b := v.lag.take()
		defer v.lag.giveBack(b)
		if err := v.rotate(j, append(anchor(), b.records...)); err != nil {
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

// Keep prevents deletion of records above a sequence number; Release ends that.
func (v *Votes) Keep(above wire.Seq) { v.keep.Store(uint64(above) + 1) }

// Release allows all deletions again.
func (v *Votes) Release() { v.keep.Store(0) }

// Prepare makes the file of the next segment, so that no turn has to wait for it. It may run on any goroutine.
func (v *Votes) Prepare() error {
	if j := v.journal.Load(); j != nil {
		return j.Preallocate()
	}
	return nil
}

// Segments describes the retained segments.
func (v *Votes) Segments() []journal.Segment {
	v.writing.Lock()
	defer v.writing.Unlock()
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

// Check reads what the journal holds of the batch of a sequence number, and returns how many bytes it read. If the data
// are damaged, the error wraps journal.ErrRot. It may be called from any goroutine.
func (v *Votes) Check(seq wire.Seq) (bytes int, err error) {
	j := v.journal.Load()
	if j == nil {
		return 0, nil
	}
	found, err := j.Read(uint64(seq))
	for i := range found {
		bytes += len(found[i].Data)
	}
	return bytes, err
}

// Lowest returns the lowest sequence number for which the journal holds anything of the batch.
func (v *Votes) Lowest() wire.Seq {
	if j := v.journal.Load(); j != nil {
		return wire.Seq(j.Lowest())
	}
	return 0
}

// Batch reads a committed batch with its certificate; nil if the journal does not hold them. It may be called from any
// goroutine.
func (v *Votes) Batch(seq wire.Seq) (wire.Message, error) {
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
	if batch := log.Batch(seq); batch != nil {
		return batch, nil
	}
	return nil, nil
}

// encode returns the journal entries of records.
func encode(records []wire.Record) []journal.Entry {
	var b pile
	b.add(records)
	return b.entries
}

func decode(entries []journal.Entry) (wire.Log, error) {
	out := make(wire.Log, len(entries))
	for i, e := range entries {
		r, err := wire.DecodeRecord(e.Data)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the journal: %w; was it written by another version?", i, err)
		}
		out[i] = r
	}
	return out, nil
}
