package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed says that bytes are not the encoding of anything.
var ErrMalformed = errors.New("malformed")

// lengthBytes is the size of the length before a byte string or list.
const lengthBytes = 4

func appendU16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }
func appendU32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
func appendU64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendCount(b []byte, n int) []byte { return appendU32(b, uint32(n)) }

func appendBytes(b, s []byte) []byte { return append(appendCount(b, len(s)), s...) }

func appendByteStrings(b []byte, list [][]byte) []byte {
	b = appendCount(b, len(list))
	for _, s := range list {
		b = appendBytes(b, s)
	}
	return b
}

// reader decodes from the front of some bytes. The first failure stays; after it every read yields zero and every count
// 0, so that decoders need no checks of their own and end soon.
type reader struct {
	rest []byte
	err  error
}

// newReader returns a reader for b and reads the format version at its beginning.
func newReader(b []byte, limit int) *reader {
	r := &reader{rest: b}
	if len(b) > limit {
		r.fail("%d bytes are above the limit of %d", len(b), limit)
		return r
	}
	if v := r.u8(); r.err == nil && v != FormatVersion {
		r.fail("format version %d, not %d", v, FormatVersion)
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

// take returns the next n bytes, nil when there are fewer.
func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.fail("cut short")
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// since returns the bytes read after start, an earlier value of r.rest.
func (r *reader) since(start []byte) []byte {
	n := len(start) - len(r.rest)
	return start[:n:n]
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

func (r *reader) bool() bool {
	v := r.u8()
	if v > 1 {
		r.fail("flag of value %d", v)
	}
	return v == 1
}

func (r *reader) digest() (d Digest)       { copy(d[:], r.take(len(d))); return d }
func (r *reader) key() (k PublicKey)       { copy(k[:], r.take(len(k))); return k }
func (r *reader) signature() (s Signature) { copy(s[:], r.take(len(s))); return s }
func (r *reader) life() (l Life)           { copy(l[:], r.take(len(l))); return l }
func (r *reader) replica() ReplicaID       { return ReplicaID(r.u16()) }

// count reads the length of a list. It refuses a length above most, and one that the bytes that are left cannot hold at
// entryBytes per entry, so that the caller may allocate a slice of this length.
func (r *reader) count(what string, most, entryBytes int) int {
	n := uint64(r.u32())
	if r.err == nil && (n > uint64(most) || n > uint64(len(r.rest)/entryBytes)) {
		r.fail("%d %s do not fit", n, what)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// bytes reads a byte string that shares memory with the input.
func (r *reader) bytes(what string) []byte { return r.take(r.count(what, maxFrame, 1)) }

func (r *reader) byteStrings(what string) [][]byte {
	n := r.count(what, maxListedOps, lengthBytes)
	if n == 0 {
		return nil
	}
	list := make([][]byte, n)
	for i := range list {
		list[i] = r.bytes(what)
	}
	return list
}

// readAscending reads a list whose keys must be strictly ascending, so that every set has one encoding and no entry twice.
func readAscending[T any, K uint16 | uint64](
	r *reader, what string, most, entryBytes int, read func(*reader) T, key func(*T) K,
) []T {
	n := r.count(what, most, entryBytes)
	if n == 0 {
		return nil
	}
	list := make([]T, n)
	for i := range list {
		list[i] = read(r)
		if r.err == nil && i > 0 && key(&list[i-1]) >= key(&list[i]) {
			r.fail("%s out of order or repeated", what)
		}
		if r.err != nil {
			return nil
		}
	}
	return list
}
