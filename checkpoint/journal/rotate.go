package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Rotate begins a new segment whose anchor holds the given entries: everything a start needs that Truncate may take
// away with older segments. It returns when the segment and its name are durable. Any error is final (D6).
func (j *Journal) Rotate(anchor []Entry) error {
	if j.err != nil {
		return j.refuse("rotate")
	}
	before := &j.segments[len(j.segments)-1]
	old, oldEpoch, oldSectors := j.file, j.epoch, j.sectors
	if err := j.begin(before.Number+1, oldEpoch, anchor); err != nil {
		return j.fail("rotate", err)
	}
	// Behind the new segment, never before it: a seal without a successor means that votes are missing.
	if err := writeSeal(old, oldEpoch, oldSectors, j.turn-1); err != nil {
		return j.fail("rotate", err)
	}
	if err := old.Close(); err != nil {
		return j.fail("rotate", err)
	}
	return nil
}

// begin makes segment number and its anchor durable and makes it the current one.
func (j *Journal) begin(number, previous uint64, anchor []Entry) error {
	payload := payloadOf(anchor)
	if payload > maxTurnBytes {
		return fmt.Errorf("an anchor of %d bytes exceeds the limit of %d", payload, maxTurnBytes)
	}
	used := 1 + sectorsFor(payload)
	// A large anchor gets as much room again for turns, or every turn would need a rotation.
	sectors := max((j.opt.SegmentBytes+sectorBytes-1)/sectorBytes, 2*used+j.wanted+1)
	name := segmentName(number)
	f, err := j.zeroed(name+tempSuffix, sectors)
	if err != nil {
		return err
	}
	epoch := j.opt.epoch()
	at := sector{kind: kindAnchor, epoch: epoch, turn: j.turn}
	j.buf = growBy(j.buf[:0], sectorBytes)
	header{number: number, previous: previous, sectors: sectors}.write(j.buf, at)
	j.buf = appendTurn(j.buf, at, anchor)
	if err := publish(j.opt.FS, filepath.Join(j.dir, name), f, j.buf); err != nil {
		return errors.Join(err, f.Close())
	}
	info := Segment{Name: name, Number: number, Bytes: sectors * sectorBytes, FirstTurn: j.turn, LastTurn: j.turn}
	info.add(anchor)
	j.segments = append(j.segments, info)
	j.index.extend(info, epoch)
	j.index.add(&info, j.turn, 1, anchor)
	j.file, j.epoch, j.sectors, j.next = f, epoch, sectors, used
	j.turn++
	j.wanted = 0
	return nil
}

// zeroed returns a file of that many zero sectors under the given name: the spare, or else a new one.
func (j *Journal) zeroed(name string, sectors int64) (File, error) {
	path := filepath.Join(j.dir, name)
	f, err := j.spare.take(j.opt.FS, filepath.Join(j.dir, spareName), path, sectors)
	if err != nil || f != nil {
		return f, err
	}
	return blank(j.opt.FS, path, sectors)
}

// writeSeal says durably that turn, the anchor of the next segment, exists.
func writeSeal(f File, epoch uint64, sectors int64, turn uint64) error {
	b := make([]byte, sectorBytes)
	sector{kind: kindSeal, epoch: epoch, turn: turn}.seal(b)
	return writeSync(f, b, sectors-1)
}
