package kv

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tagma/statemachine"
	"tagma/statemachine/commit"
	"tagma/statemachine/internal/wire"
)

// A result is the format version and a code. If the code is 0, the operation's type, the store's revision after it and
// the type's fields follow; if not, the operation was refused and the result ends there.

// ErrResult says that bytes are not a result of the operation as which they were decoded.
var ErrResult = errors.New("not a result of this operation")

// PutResult is what a put returns.
type PutResult struct {
	Revision uint64    // the revision that the put made
	Previous *KeyValue // only for PutPrevious: the replaced pair; nil if the key is new
}

// GetResult is what a get returns.
type GetResult struct {
	Revision uint64    // of the store
	Pair     *KeyValue // nil if the key does not exist
}

// RangeResult is what a range returns.
type RangeResult struct {
	Revision uint64 // of the store
	Pairs    []KeyValue
	More     bool // the limits left out further pairs of the range
}

// Next is the start of the range that continues after this result; nil if nothing follows, or if the result has no pair.
func (r *RangeResult) Next() []byte {
	if !r.More || len(r.Pairs) == 0 {
		return nil
	}
	return Next(r.Pairs[len(r.Pairs)-1].Key)
}

// DeleteRangeResult is what a delete returns.
type DeleteRangeResult struct {
	Revision uint64 // of the store; raised once if anything was deleted
	Deleted  uint64
}

// CountResult is what a count returns.
type CountResult struct {
	Revision uint64 // of the store
	Count    uint64
}

// DecodePut reads the result of Put and PutPrevious. The error of this and every other decoder is a Code, a
// statemachine failure or ErrResult. What a decoder returns shares memory with the result.
func DecodePut(result []byte) (PutResult, error) {
	c, err := openResult(result, opPut)
	out := PutResult{Revision: c.Uint64(), Previous: c.optionalPair()}
	return out, c.close(err)
}

// DecodeGet reads the result of Get.
func DecodeGet(result []byte) (GetResult, error) {
	c, err := openResult(result, opGet)
	out := GetResult{Revision: c.Uint64(), Pair: c.optionalPair()}
	return out, c.close(err)
}

// DecodeRange reads the result of Range and Prefix.
func DecodeRange(result []byte) (RangeResult, error) {
	c, err := openResult(result, opRange)
	out := RangeResult{Revision: c.Uint64(), More: c.Flags(1) != 0}
	for n := c.Uint32(); n > 0 && !c.Bad; n-- {
		out.Pairs = append(out.Pairs, c.pair())
	}
	return out, c.close(err)
}

// DecodeDeleteRange reads the result of DeleteRange and Delete.
func DecodeDeleteRange(result []byte) (DeleteRangeResult, error) {
	c, err := openResult(result, opDeleteRange)
	out := DeleteRangeResult{Revision: c.Uint64(), Deleted: c.Uint64()}
	return out, c.close(err)
}

// DecodeCount reads the result of Count.
func DecodeCount(result []byte) (CountResult, error) {
	c, err := openResult(result, opCount)
	out := CountResult{Revision: c.Uint64(), Count: c.Uint64()}
	return out, c.close(err)
}

// openResult reads everything before the type's fields. With an error the returned cursor yields only zeros.
func openResult(result []byte, want opType) (*cursor, error) {
	if err := statemachine.Failure(result); err != nil {
		return failed(), err
	}
	if l, is := commit.AsLocked(result); is {
		return failed(), l
	}
	c := read(result)
	version, code := c.Byte(), Code(c.Byte())
	switch {
	case version == formatVersion && code == TooOld && len(c.Rest) == 8:
		return failed(), &Compacted{Oldest: c.Uint64()}
	case version == formatVersion && code != 0 && code != TooOld && len(c.Rest) == 0:
		return failed(), code
	}
	if kind := opType(c.Byte()); version != formatVersion || code != 0 || kind != want {
		return failed(), fmt.Errorf("decode a result of the key-value store: %w", ErrResult)
	}
	return c, nil
}

func (c *cursor) close(err error) error {
	if err == nil && !c.Done() {
		return fmt.Errorf("decode a result of the key-value store: %w", ErrResult)
	}
	return err
}

func (c *cursor) optionalPair() *KeyValue {
	if c.Flags(1) == 0 || c.Bad {
		return nil
	}
	pair := c.pair()
	return &pair
}

func (c *cursor) pair() KeyValue {
	return KeyValue{
		Key: c.Key(), CreateRevision: c.Uint64(), ModRevision: c.Uint64(), Version: c.Uint64(), Value: c.Value(),
	}
}

func refusal(code Code) []byte { return []byte{formatVersion, byte(code)} }

func begin(kind opType, rev uint64, room int) []byte {
	b := append(make([]byte, 0, 3+8+room), formatVersion, 0, byte(kind))
	return binary.BigEndian.AppendUint64(b, rev)
}

func encodePut(rev uint64, previous *KeyValue, found bool) []byte {
	return appendOptional(begin(opPut, rev, 1), previous, found)
}

func encodeGet(rev uint64, pair *KeyValue, found bool) []byte {
	return appendOptional(begin(opGet, rev, 1+pairBytes(pair)), pair, found)
}

func encodeNumber(kind opType, rev, n uint64) []byte {
	return binary.BigEndian.AppendUint64(begin(kind, rev, 8), n)
}

// rangeResult builds a Range result. The bytes for More and the number of pairs come first and are filled in while
// pairs are added.
type rangeResult struct {
	bytes    []byte
	pairs    uint32
	size     int // bytes of the keys and values added so far
	maxPairs uint32
	maxSize  int
}

const (
	rangeMoreAt  = 3 + 8
	rangeCountAt = rangeMoreAt + 1
)

func beginRange(rev uint64, maxPairs uint32, maxSize int) rangeResult {
	return rangeResult{bytes: append(begin(opRange, rev, 5), 0, 0, 0, 0, 0), maxPairs: maxPairs, maxSize: maxSize}
}

// add appends a pair. If the limits leave no room for it, it sets More instead and returns false.
func (r *rangeResult) add(pair *KeyValue) bool {
	size := r.size + len(pair.Key) + len(pair.Value)
	if r.pairs == r.maxPairs || size > r.maxSize {
		r.bytes[rangeMoreAt] = 1
		return false
	}
	r.pairs, r.size = r.pairs+1, size
	r.bytes = appendPair(r.bytes, pair)
	binary.BigEndian.PutUint32(r.bytes[rangeCountAt:], r.pairs)
	return true
}

func appendOptional(b []byte, pair *KeyValue, found bool) []byte {
	if !found {
		return append(b, 0)
	}
	return appendPair(append(b, 1), pair)
}

func pairBytes(kv *KeyValue) int { return 2 + len(kv.Key) + 3*8 + 4 + len(kv.Value) }

func appendPair(b []byte, kv *KeyValue) []byte {
	b = wire.AppendKey(b, kv.Key)
	b = binary.BigEndian.AppendUint64(b, kv.CreateRevision)
	b = binary.BigEndian.AppendUint64(b, kv.ModRevision)
	b = binary.BigEndian.AppendUint64(b, kv.Version)
	return wire.AppendValue(b, kv.Value)
}
