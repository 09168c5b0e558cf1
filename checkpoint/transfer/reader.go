package transfer

import (
	"encoding/binary"
	"fmt"
)

// version is the first byte of every query and answer.
const version = 1

// reader decodes from the front of some bytes. The first failure stays; after it every read yields zero.
type reader struct {
	rest []byte
	err  error
}

// newReader returns a reader for b, which must begin with the version.
func newReader(b []byte, limit int) *reader {
	r := &reader{rest: b}
	if len(b) > limit {
		r.fail("%d bytes are above the limit of %d", len(b), limit)
		return r
	}
	if v := r.u8(); r.err == nil && v != version {
		r.fail("format version %d, not %d", v, version)
	}
	return r
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
	}
	r.rest = nil
}

// finish returns an error if a read failed or bytes are left over.
func (r *reader) finish() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("%d bytes follow its end", len(r.rest))
	}
	return r.err
}

// take returns the next n bytes, or nil if there are fewer.
func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail("cut short")
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) digest() (d [32]byte) {
	copy(d[:], r.take(len(d)))
	return d
}

// count reads a number from 1 to most.
func (r *reader) count(most int) int {
	n := int(r.u16())
	if r.err == nil && (n == 0 || n > most) {
		r.fail("%d things where 1 to %d are allowed", n, most)
		return 0
	}
	return n
}

// bytes reads a length, at most most and in its only valid encoding, and then so many bytes, which share memory with
// the input.
func (r *reader) bytes(most int) []byte {
	n, size := binary.Uvarint(r.rest)
	switch {
	case size <= 0 || (size > 1 && r.rest[size-1] == 0):
		r.fail("not a length")
	case n > uint64(most):
		r.fail("%d bytes where at most %d are allowed", n, most)
	default:
		r.take(size)
		return r.take(int(n))
	}
	return nil
}

func appendBytes(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// bytesSize returns how many bytes appendBytes appends for a slice of length n.
func bytesSize(n int) int {
	size := n + 1
	for v := uint64(n) >> 7; v > 0; v >>= 7 {
		size++
	}
	return size
}
