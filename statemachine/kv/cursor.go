package kv

import "encoding/binary"

// cursor reads bytes from the front without copying them. The first thing that is wrong makes every later read zero.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.rest)) {
		c.bad, c.rest = true, nil
		return nil
	}
	taken := c.rest[:n:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

// flags reads a byte with no bits but the known ones.
func (c *cursor) flags(known byte) byte {
	f := c.byte()
	if f&^known != 0 {
		c.bad = true
	}
	return f
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) key() []byte {
	if b := c.take(2); b != nil {
		return c.take(uint64(binary.BigEndian.Uint16(b)))
	}
	return nil
}

func (c *cursor) value() []byte { return c.take(uint64(c.uint32())) }

// or returns code unless something was malformed before.
func (c *cursor) or(code Code) Code {
	if c.bad {
		return Malformed
	}
	return code
}
