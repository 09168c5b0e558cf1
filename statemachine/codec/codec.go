// Package codec writes and reads values as bytes: for operations, results and what a machine keeps in its state.
//
// Every value has exactly one encoding, and the reader refuses all others, so that equal values are equal bytes on
// every replica. Reading is total: any bytes give a value or an error, never a panic, and nothing is allocated for a
// length that the bytes do not have. The package knows no operation and no version: a format that may change begins
// with a number of its own.
package codec

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// ErrMalformed says that bytes are cut short, too long, or not the encoding of any value.
var ErrMalformed = errors.New("the bytes are no encoding of what is expected")

// AppendUint appends a number in 1 to 10 bytes, the fewer the smaller it is.
func AppendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendInt appends a number in 1 to 10 bytes, the fewer the nearer it is to 0.
func AppendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendBool appends one byte, 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendBytes appends bytes with their number in front.
func AppendBytes(b, v []byte) []byte { return append(AppendUint(b, uint64(len(v))), v...) }

// AppendString appends a text with the number of its bytes in front.
func AppendString(b []byte, v string) []byte { return append(AppendUint(b, uint64(len(v))), v...) }

// AppendLen appends the length of a list; its elements follow, each by a function of its own.
func AppendLen(b []byte, n int) []byte { return AppendUint(b, uint64(n)) }

// Reader reads values from the front of some bytes. The first thing that is wrong makes every later value zero, so a
// caller asks once, at the End.
type Reader struct {
	rest []byte
	bad  bool
}

// NewReader reads b, which must not be modified meanwhile.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// End returns ErrMalformed if anything was wrong or bytes are left over.
func (r *Reader) End() error {
	if r.bad || len(r.rest) > 0 {
		return ErrMalformed
	}
	return nil
}

// Fail says that a value is wrong by a rule of the caller's.
func (r *Reader) Fail() { r.bad, r.rest = true, nil }

// Uint reads a number of so many bits, 1 to 64; a larger one is wrong.
func (r *Reader) Uint(size int) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 || bits.Len64(v) > size { // a last byte of 0 adds nothing
		r.Fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Int reads a number with a sign of so many bits, 1 to 64; one beyond them is wrong.
func (r *Reader) Int(size int) int64 {
	u := r.Uint(size) // the sign is the lowest bit
	return int64(u>>1) ^ -int64(u&1)
}

// Bool reads one byte, 0 or 1.
func (r *Reader) Bool() bool { return r.Uint(1) == 1 }

// Take reads n bytes, which stay part of what is read.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.Fail()
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

// Bytes reads bytes with their number in front; none are nil. They stay part of what is read: clone what is kept longer.
func (r *Reader) Bytes() []byte {
	n := r.Len(1)
	if n == 0 {
		return nil
	}
	return r.Take(n)
}

// String reads a text with the number of its bytes in front.
func (r *Reader) String() string { return string(r.Bytes()) }

// Len reads the length of a list whose elements take at least size bytes each, 1 or more. A list that is longer than
// what is left is wrong, so a caller may allocate it.
func (r *Reader) Len(size int) int {
	n := r.Uint(64)
	if n > uint64(len(r.rest)/max(size, 1)) {
		r.Fail()
		return 0
	}
	return int(n)
}
