package kv

import (
	"encoding/binary"
	"errors"
	"fmt"

	"tagma/statemachine"
	"tagma/statemachine/internal/wire"
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

// Next is the start of the range that goes on behind this result; nil if there is no more, or no pair to go on from.
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

// DecodePut reads the result of Put and PutPrevious. An error is a Code, a statemachine failure or ErrResult, as that
// of every decoder; what is returned refers to the result's memory.
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

// openResult reads up to the type's fields. With an error the cursor gives zeros only.
func openResult(result []byte, want opType) (*cursor, error) {
	if err := statemachine.Failure(result); err != nil {
		return failed(), err
	}
	c := read(result)
	version, code := c.Byte(), Code(c.Byte())
	if version == formatVersion && code != 0 && len(c.Rest) == 0 {
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

// rangeResult is a range's result while pairs are added: more and the number of pairs have their place in front.
type rangeResult struct {
	bytes    []byte
	pairs    uint32
	size     int // keys and values
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

// add appends the pair, or notes that there is more than the limits allow.
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
