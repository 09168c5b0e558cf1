// Package wire reads and writes the binary forms of the machines' operations, results and records: integers are big
// endian, byte strings have their length in front. It knows no operation.
package wire

import "encoding/binary"

// Cursor reads bytes from the front without copying them. The first thing that is wrong makes every later read zero.
type Cursor struct {
	Rest []byte
	Bad  bool // something was cut short or not canonical
}

// Fail makes every later read zero.
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

// Flags reads a byte with no bits but the known ones.
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

// Short reads bytes with their length in front as one byte, Key as two, and Value as four.
func (c *Cursor) Short() []byte { return c.Take(uint64(c.Byte())) }

// Key reads bytes with their length in front as two bytes.
func (c *Cursor) Key() []byte { return c.Take(uint64(c.Uint16())) }

// Value reads bytes with their length in front as four bytes.
func (c *Cursor) Value() []byte { return c.Take(uint64(c.Uint32())) }

// Done reports whether everything was read and nothing was wrong.
func (c *Cursor) Done() bool { return !c.Bad && len(c.Rest) == 0 }

// AppendShort writes what Short reads. It cuts what is too long short: the machines refuse it either way.
func AppendShort(b, s []byte) []byte {
	s = s[:min(len(s), 1<<8-1)]
	return append(append(b, byte(len(s))), s...)
}

// AppendKey writes what Key reads, cut short likewise.
func AppendKey(b, s []byte) []byte {
	s = s[:min(len(s), 1<<16-1)]
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// AppendValue writes what Value reads.
func AppendValue(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
