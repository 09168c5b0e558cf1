package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Rotate begins a new segment with the given entries as its anchor. They must repeat everything in older segments,
// which Truncate may delete, that a start still needs. Rotate returns once the segment and its name are durable. Any
// error is final (D6).
func (j *Journal) Rotate(anchor []Entry) error {
	if j.err != nil {
		return j.refuse("rotate")
	}
	before := &j.segments[len(j.segments)-1]
	old, oldEpoch, oldSectors := j.file, j.epoch, j.sectors
	if err := j.begin(before.Number+1, oldEpoch, anchor); err != nil {
		return j.fail("rotate", err)
	}
	// The seal is written only after the new segment: a seal without a successor means that votes are missing.
	if err := writeSeal(old, oldEpoch, oldSectors, j.turn-1); err != nil {
		return j.fail("rotate", err)
	}
	if err := old.Close(); err != nil {
		return j.fail("rotate", err)
	}
	return nil
}

// begin makes segment number and its anchor durable, and makes it the current segment.
func (j *Journal) begin(number, previous uint64, anchor []Entry) error {
	payload := payloadOf(anchor)
	if payload > maxTurnBytes {
		return fmt.Errorf("an anchor of %d bytes exceeds the limit of %d", payload, maxTurnBytes)
	}
	used := 1 + sectorsFor(payload)
	// After a large anchor there is as much room again for turns; otherwise every turn would need a rotation.
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

// zeroed returns a file of the given name that has so many zero sectors. It uses the spare file if that has this
// size, and makes a new one otherwise.
func (j *Journal) zeroed(name string, sectors int64) (File, error) {
	path := filepath.Join(j.dir, name)
	f, err := j.spare.take(j.opt.FS, filepath.Join(j.dir, spareName), path, sectors)
	if err != nil || f != nil {
		return f, err
	}
	return blank(j.opt.FS, path, sectors)
}

// writeSeal records durably that the next segment exists. Turn is the number of that segment's anchor.
func writeSeal(f File, epoch uint64, sectors int64, turn uint64) error {
	b := make([]byte, sectorBytes)
	sector{kind: kindSeal, epoch: epoch, turn: turn}.seal(b)
	return writeSync(f, b, sectors-1)
}
