// Package codec writes and reads values as bytes, for operations, results and what a machine keeps in its state.
//
// Every value has exactly one encoding, and the reader refuses all others, so that equal values have equal bytes on
// every replica. Reading accepts any bytes: it returns a value or an error, never panics, and allocates nothing for a
// length that exceeds the bytes. The package does not know operations or format versions: a format that may change
// should begin with a version number.
package codec

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// ErrMalformed says that bytes are cut short, are followed by others, or are not the encoding of any value.
var ErrMalformed = errors.New("the bytes are no encoding of what is expected")

// AppendUint appends a number in 1 to 10 bytes; smaller numbers take fewer bytes.
func AppendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendInt appends a number in 1 to 10 bytes; numbers nearer to 0 take fewer bytes.
func AppendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendBool appends one byte, 0 or 1.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendBytes appends the number of bytes and then the bytes.
func AppendBytes(b, v []byte) []byte { return append(AppendUint(b, uint64(len(v))), v...) }

// AppendString appends the number of bytes of a text and then the text.
func AppendString(b []byte, v string) []byte { return append(AppendUint(b, uint64(len(v))), v...) }

// AppendLen appends the length of a list. The caller appends the elements after it.
func AppendLen(b []byte, n int) []byte { return AppendUint(b, uint64(n)) }

// Reader reads values from the front of some bytes. After the first malformed value every later value is zero, so a
// caller checks only once, with End.
type Reader struct {
	rest []byte
	bad  bool
}

// NewReader reads b, which must not be modified while the reader is used.
func NewReader(b []byte) *Reader { return &Reader{rest: b} }

// End returns ErrMalformed if any value was malformed or bytes are left over.
func (r *Reader) End() error {
	if r.bad || len(r.rest) > 0 {
		return ErrMalformed
	}
	return nil
}

// Fail marks the bytes as malformed because a value breaks a rule of the caller's.
func (r *Reader) Fail() { r.bad, r.rest = true, nil }

// Uint reads a number of at most size bits, 1 to 64; a larger one is malformed.
func (r *Reader) Uint(size int) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 || bits.Len64(v) > size { // a last byte of 0 would be a second encoding
		r.Fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// Int reads a signed number of at most size bits, 1 to 64; one outside that range is malformed.
func (r *Reader) Int(size int) int64 {
	u := r.Uint(size) // the sign is the lowest bit
	return int64(u>>1) ^ -int64(u&1)
}

// Bool reads one byte, 0 or 1.
func (r *Reader) Bool() bool { return r.Uint(1) == 1 }

// Take reads n bytes. The slice shares memory with the bytes that are read.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.Fail()
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

// Bytes reads a length and so many bytes; without any it returns nil. The slice shares memory with the bytes that are
// read: clone what is kept longer.
func (r *Reader) Bytes() []byte {
	n := r.Len(1)
	if n == 0 {
		return nil
	}
	return r.Take(n)
}

// String reads a length and a text of so many bytes.
func (r *Reader) String() string { return string(r.Bytes()) }

// Len reads the length of a list whose elements take at least size bytes each, size being 1 or more. A list that cannot
// fit in the bytes that are left is malformed, so a caller may allocate for the returned length.
func (r *Reader) Len(size int) int {
	n := r.Uint(64)
	if n > uint64(len(r.rest)/max(size, 1)) {
		r.Fail()
		return 0
	}
	return int(n)
}
