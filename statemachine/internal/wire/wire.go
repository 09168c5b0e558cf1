// Package wire reads and writes the binary forms of the machines' operations, results and records. Integers are big
// endian; byte strings are preceded by their length. The package does not know any operation.
package wire

import "encoding/binary"

// Cursor reads bytes from the front without copying them. After the first malformed read every later read is zero.
type Cursor struct {
	Rest []byte
	Bad  bool // a read was cut short or not canonical
}

// Fail marks the bytes as malformed, which makes every later read zero.
func (c *Cursor) Fail() { c.Bad, c.Rest = true, nil }

// Take reads n bytes.
func (c *Cursor) Take(n uint64) []byte {
	if c.Bad || n > uint64(len(c.Rest)) {
		c.Fail()
		return nil
	}
	taken := c.Rest[:n:n]
	c.Rest = c.Rest[n:]
	return taken
}

// Byte reads one byte.
func (c *Cursor) Byte() byte {
	if b := c.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Flags reads a byte in which only bits of known may be set.
func (c *Cursor) Flags(known byte) byte {
	f := c.Byte()
	if f&^known != 0 {
		c.Fail()
		return 0
	}
	return f
}

// Uint16 reads two bytes.
func (c *Cursor) Uint16() uint16 {
	if b := c.Take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint32 reads four bytes.
func (c *Cursor) Uint32() uint32 {
	if b := c.Take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads eight bytes.
func (c *Cursor) Uint64() uint64 {
	if b := c.Take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Short reads a length of one byte and so many bytes.
func (c *Cursor) Short() []byte { return c.Take(uint64(c.Byte())) }

// Key reads a length of two bytes and so many bytes.
func (c *Cursor) Key() []byte { return c.Take(uint64(c.Uint16())) }

// Value reads a length of four bytes and so many bytes.
func (c *Cursor) Value() []byte { return c.Take(uint64(c.Uint32())) }

// Done reports whether everything was read and nothing was malformed.
func (c *Cursor) Done() bool { return !c.Bad && len(c.Rest) == 0 }

// AppendShort writes what Short reads. It cuts off what is too long, which the machines refuse with or without the rest.
func AppendShort(b, s []byte) []byte {
	s = s[:min(len(s), 1<<8-1)]
	return append(append(b, byte(len(s))), s...)
}

// AppendKey writes what Key reads, cut off in the same way.
func AppendKey(b, s []byte) []byte {
	s = s[:min(len(s), 1<<16-1)]
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// AppendValue writes what Value reads.
func AppendValue(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
