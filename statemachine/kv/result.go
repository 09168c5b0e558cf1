package kv

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tagma/statemachine"
)

// A result is format version, code, and when the code is 0 the operation's type, the store's revision after it and the
// type's fields. A refusal ends after its code.

// ErrResult says that bytes are not the result of the operation they were decoded as.
var ErrResult = errors.New("not a result of this operation")

// PutResult is what a put returns.
type PutResult struct {
	Revision uint64    // that the put made
	Previous *KeyValue // with PutPrevious: what was replaced; nil if the key is new
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
	More     bool // keys of the range follow that the limits left out
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

// DecodePut reads the result of Put and PutPrevious. An error is a Code, a statemachine failure or ErrResult, as that
// of every decoder; what is returned refers to the result's memory.
func DecodePut(result []byte) (PutResult, error) {
	c, err := openResult(result, opPut)
	out := PutResult{Revision: c.uint64(), Previous: c.optionalPair()}
	return out, c.close(err)
}

// DecodeGet reads the result of Get.
func DecodeGet(result []byte) (GetResult, error) {
	c, err := openResult(result, opGet)
	out := GetResult{Revision: c.uint64(), Pair: c.optionalPair()}
	return out, c.close(err)
}

// DecodeRange reads the result of Range and Prefix.
func DecodeRange(result []byte) (RangeResult, error) {
	c, err := openResult(result, opRange)
	out := RangeResult{Revision: c.uint64(), More: c.flags(1) != 0}
	for n := c.uint32(); n > 0 && !c.bad; n-- {
		out.Pairs = append(out.Pairs, c.pair())
	}
	return out, c.close(err)
}

// DecodeDeleteRange reads the result of DeleteRange and Delete.
func DecodeDeleteRange(result []byte) (DeleteRangeResult, error) {
	c, err := openResult(result, opDeleteRange)
	out := DeleteRangeResult{Revision: c.uint64(), Deleted: c.uint64()}
	return out, c.close(err)
}

// DecodeCount reads the result of Count.
func DecodeCount(result []byte) (CountResult, error) {
	c, err := openResult(result, opCount)
	out := CountResult{Revision: c.uint64(), Count: c.uint64()}
	return out, c.close(err)
}

// openResult reads up to the type's fields. With an error the cursor gives zeros only.
func openResult(result []byte, want opType) (*cursor, error) {
	if err := statemachine.Failure(result); err != nil {
		return &cursor{bad: true}, err
	}
	c := &cursor{rest: result}
	version, code := c.byte(), Code(c.byte())
	if version == formatVersion && code != 0 && len(c.rest) == 0 {
		return &cursor{bad: true}, code
	}
	if kind := opType(c.byte()); version != formatVersion || code != 0 || kind != want {
		return &cursor{bad: true}, fmt.Errorf("decode a result of the key-value store: %w", ErrResult)
	}
	return c, nil
}

func (c *cursor) close(err error) error {
	if err == nil && (c.bad || len(c.rest) != 0) {
		return fmt.Errorf("decode a result of the key-value store: %w", ErrResult)
	}
	return err
}

func (c *cursor) optionalPair() *KeyValue {
	if c.flags(1) == 0 || c.bad {
		return nil
	}
	pair := c.pair()
	return &pair
}

func (c *cursor) pair() KeyValue {
	return KeyValue{
		Key: c.key(), CreateRevision: c.uint64(), ModRevision: c.uint64(), Version: c.uint64(), Value: c.value(),
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

// rangeResult is a range's result while pairs are added: more and the number of pairs have their place in front.
type rangeResult struct {
	bytes []byte
	pairs uint32
	size  int // keys and values
}

const (
	rangeMoreAt  = 3 + 8
	rangeCountAt = rangeMoreAt + 1
)

func beginRange(rev uint64) rangeResult {
	return rangeResult{bytes: append(begin(opRange, rev, 5), 0, 0, 0, 0, 0)}
}

// add appends the pair, or notes that there is more than the limits allow.
func (r *rangeResult) add(pair *KeyValue, limit uint32) bool {
	r.size += len(pair.Key) + len(pair.Value)
	if r.pairs == limit || r.size > MaxRangeBytes {
		r.bytes[rangeMoreAt] = 1
		return false
	}
	r.pairs++
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
	b = appendKey(b, kv.Key)
	b = binary.BigEndian.AppendUint64(b, kv.CreateRevision)
	b = binary.BigEndian.AppendUint64(b, kv.ModRevision)
	b = binary.BigEndian.AppendUint64(b, kv.Version)
	b = binary.BigEndian.AppendUint32(b, uint32(len(kv.Value)))
	return append(b, kv.Value...)
}
