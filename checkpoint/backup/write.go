package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"

	"tagma/statemachine"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The kinds of records.
const (
	recordSet    = 1
	recordDelete = 2
)

const recordHead = 1 + 4 + 4

// Write writes a backup with these records, which must be ascending by key, and returns their number. The caller makes
// w durable.
func Write(w io.Writer, h Head, records iter.Seq2[statemachine.Write, error]) (count int, err error) {
	front, err := appendHead(nil, &h)
	if err != nil {
		return 0, err
	}
	f := &framer{sum: sha256.New()}
	f.out = io.MultiWriter(w, f.sum)
	if _, err := f.out.Write(front); err != nil {
		return 0, err
	}
	var last []byte
	for r, err := range records {
		if err != nil {
			return count, err
		}
		if err := checkRecord(&r, last, count == 0, h.Whole()); err != nil {
			return count, fmt.Errorf("write a backup: %w", err)
		}
		last = append(last[:0], r.Key...)
		if err := f.record(&r); err != nil {
			return count, err
		}
		count++
	}
	if err := f.flush(); err != nil {
		return count, err
	}
	if _, err := f.out.Write(make([]byte, 4)); err != nil {
		return count, err
	}
	_, err = w.Write(f.sum.Sum(nil))
	return count, err
}

// checkRecord returns an error for a record that must not follow the key before it.
func checkRecord(r *statemachine.Write, last []byte, first, whole bool) error {
	switch {
	case len(r.Key) > maxKey || len(r.Value) > maxValue:
		return damaged("a key of %d bytes with a value of %d", len(r.Key), len(r.Value))
	case !first && bytes.Compare(last, r.Key) >= 0:
		return damaged("keys out of order or repeated")
	case r.Delete && whole:
		return damaged("it is whole and deletes a key")
	case r.Delete && len(r.Value) > 0:
		return damaged("a deleted key has a value")
	}
	return nil
}

// framer cuts the stream of records into frames.
type framer struct {
	out  io.Writer
	sum  hash.Hash
	full []byte
}

func (f *framer) record(r *statemachine.Write) error {
	kind := byte(recordSet)
	if r.Delete {
		kind = recordDelete
	}
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(r.Key)))
	head = binary.BigEndian.AppendUint32(head, uint32(len(r.Value)))
	for _, part := range [][]byte{head, r.Key, r.Value} {
		for len(part) > 0 {
			n := min(len(part), maxFrame-len(f.full))
			f.full, part = append(f.full, part[:n]...), part[n:]
			if len(f.full) == maxFrame {
				if err := f.flush(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (f *framer) flush() error {
	if len(f.full) == 0 {
		return nil
	}
	var head [8]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(f.full)))
	binary.BigEndian.PutUint32(head[4:], frameSum(head[:4], f.full))
	if _, err := f.out.Write(head[:]); err != nil {
		return err
	}
	_, err := f.out.Write(f.full)
	f.full = f.full[:0]
	return err
}

func frameSum(length, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, payload)
}

// All yields the records of a whole backup: every entry of a state.
func All(view statemachine.StorageView) iter.Seq2[statemachine.Write, error] {
	return func(yield func(statemachine.Write, error) bool) {
		for e, err := range view.Scan(nil, nil) {
			if !yield(statemachine.Write{Key: e.Key, Value: e.Value}, err) || err != nil {
				return
			}
		}
	}
}

// Changes yields the records that turn the state before into the state after.
func Changes(before, after statemachine.StorageView) iter.Seq2[statemachine.Write, error] {
	return func(yield func(statemachine.Write, error) bool) {
		old, stopOld := iter.Pull2(before.Scan(nil, nil))
		defer stopOld()
		now, stopNow := iter.Pull2(after.Scan(nil, nil))
		defer stopNow()
		a, errA, hasA := old()
		b, errB, hasB := now()
		for hasA || hasB {
			if errA != nil || errB != nil {
				yield(statemachine.Write{}, firstOf(errA, errB))
				return
			}
			order := 0
			switch {
			case !hasB:
				order = -1
			case !hasA:
				order = 1
			default:
				order = bytes.Compare(a.Key, b.Key)
			}
			goesOn := true
			switch {
			case order < 0:
				goesOn = yield(statemachine.Write{Key: a.Key, Delete: true}, nil)
			case order > 0 || !bytes.Equal(a.Value, b.Value):
				goesOn = yield(statemachine.Write{Key: b.Key, Value: b.Value}, nil)
			}
			if !goesOn {
				return
			}
			if order <= 0 {
				a, errA, hasA = old()
			}
			if order >= 0 {
				b, errB, hasB = now()
			}
		}
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
