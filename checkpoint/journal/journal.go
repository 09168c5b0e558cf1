package journal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Journal is an open journal. Only one goroutine may call its methods, except Preallocate, Read, Holds and Lowest.
type Journal struct {
	dir      string
	opt      Options
	lock     io.Closer
	segments []Segment // oldest first; the last is the current segment

	file    File   // the current segment
	epoch   uint64 // of the current segment
	sectors int64  // in the current segment, including the seal's
	next    int64  // the sector where the next turn begins
	turn    uint64 // the number of the next turn
	start   uint16 // random number of this start, stamped into every turn; see sector

	wanted int64  // sectors of the turn that did not fit; the next segment gets room for it
	buf    []byte // buffer of the last turn, to be reused
	err    error  // the first failure; final
	spare  spare
	index  index
}

// keepBuffer bounds the memory that is kept after an exceptionally large turn.
const keepBuffer = 4 << 20

// Append writes one turn and returns once it is durable (D0). An empty turn writes nothing.
//
// ErrFull means that nothing was written: the caller must Rotate and then Append the same entries again. Any other
// error is final: it is unknown whether the turn is on the disk, and the journal refuses everything from then on (D6).
func (j *Journal) Append(entries []Entry) error {
	if j.err != nil {
		return j.refuse("append to")
	}
	if len(entries) == 0 {
		return nil
	}
	payload := payloadOf(entries)
	if payload > maxTurnBytes {
		return j.fail("append to", fmt.Errorf("a turn of %d bytes exceeds the limit of %d", payload, maxTurnBytes))
	}
	if need := sectorsFor(payload); need > j.room() {
		j.wanted = need
		return ErrFull
	}
	j.buf = appendTurn(j.buf[:0], sector{kind: kindTurn, start: j.start, epoch: j.epoch, turn: j.turn}, entries)
	if err := writeSync(j.file, j.buf, j.next); err != nil {
		return j.fail("append to", err)
	}
	current := &j.segments[len(j.segments)-1]
	current.LastTurn = j.turn
	current.add(entries)
	j.index.add(current, j.turn, j.next, entries)
	j.next += int64(len(j.buf) / sectorBytes)
	j.turn++
	if cap(j.buf) > keepBuffer {
		j.buf = nil
	}
	return nil
}

func writeSync(f File, b []byte, sector int64) error {
	if _, err := f.WriteAt(b, sector*sectorBytes); err != nil {
		return err
	}
	return f.Sync()
}

// room is the number of sectors left for turns.
func (j *Journal) room() int64 { return j.sectors - 1 - j.next }

// NeedsRotation reports that less than an eighth of the segment is left. Rotating then, between two turns, means that
// no turn has to wait for it.
func (j *Journal) NeedsRotation() bool { return j.room() < j.sectors/8 }

// Segments returns the retained segments, oldest first. The last one is the current one.
func (j *Journal) Segments() []Segment { return append([]Segment(nil), j.segments...) }

// Truncate deletes the leading segments whose entries all have Seq <= below, and returns their number. The current segment
// always stays; its anchor, durable since Rotate, repeats what is still needed of the deleted ones. Any error is final.
func (j *Journal) Truncate(below uint64) (removed int, err error) {
	if j.err != nil {
		return 0, j.refuse("truncate")
	}
	end := 0
	for end < len(j.segments)-1 && j.segments[end].MaxSeq <= below {
		end++
	}
	if end > 0 {
		j.index.drop(j.segments[end].Number)
	}
	for removed < end {
		if err := j.opt.FS.Remove(filepath.Join(j.dir, j.segments[0].Name)); err != nil {
			return removed, j.fail("truncate", err)
		}
		// The names are synced after each removal: if two removals reached the disk in the wrong order, a crash would
		// leave a gap.
		if err := j.opt.FS.SyncDir(j.dir); err != nil {
			return removed, j.fail("truncate", err)
		}
		j.segments = j.segments[1:]
		removed++
	}
	return removed, nil
}

// Close releases the files and the lock. Everything appended is durable already.
func (j *Journal) Close() error {
	if errors.Is(j.err, ErrClosed) {
		return nil
	}
	if j.err == nil {
		j.err = ErrClosed
	} else {
		j.err = fmt.Errorf("%w after a failure: %w", ErrClosed, j.err)
	}
	j.index.close()
	return errors.Join(j.spare.close(), j.file.Close(), j.lock.Close())
}

// fail makes err final.
func (j *Journal) fail(what string, err error) error {
	j.err = fmt.Errorf("%s journal %s: %w", what, j.dir, err)
	return j.err
}

// refuse is the error of calls after a failure; it names that failure.
func (j *Journal) refuse(what string) error {
	return fmt.Errorf("%s journal %s refused: %w", what, j.dir, j.err)
}
