package wire

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestCursor_ReadsWhatWasWritten(t *testing.T) {
	b := AppendValue(AppendKey(AppendShort(nil, []byte("a")), []byte("bc")), []byte("def"))
	b = binary.BigEndian.AppendUint64(append(b, 3, 0xff), 7)
	c := Cursor{Rest: b}
	if s, k, v := c.Short(), c.Key(), c.Value(); string(s) != "a" || string(k) != "bc" || string(v) != "def" {
		t.Errorf("read %q, %q, %q", s, k, v)
	}
	if f, x, n := c.Flags(3), c.Byte(), c.Uint64(); f != 3 || x != 0xff || n != 7 || !c.Done() {
		t.Errorf("read %d, %d, %d, done %v", f, x, n, c.Done())
	}
}

func TestCursor_AfterTheFirstFaultEverythingIsZero(t *testing.T) {
	for name, spoil := range map[string]func(*Cursor){
		"a string that is cut short": func(c *Cursor) { c.Take(9) },
		"a length beyond the end":    func(c *Cursor) { c.Value() },
		"an unknown flag":            func(c *Cursor) { c.Flags(0) },
	} {
		c := Cursor{Rest: bytes.Repeat([]byte{0xff}, 8)}
		spoil(&c)
		if !c.Bad || c.Done() || c.Byte() != 0 || c.Uint16() != 0 || c.Uint32() != 0 || c.Uint64() != 0 || c.Key() != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if c := (Cursor{Rest: []byte{1}}); c.Done() {
		t.Error("what is left over is not noticed")
	}
}

func TestAppend_WhatIsTooLongIsCutShort(t *testing.T) {
	long := make([]byte, 1<<16)
	if s, k := AppendShort(nil, long), AppendKey(nil, long); len(s) != 1+255 || len(k) != 2+65535 {
		t.Errorf("%d and %d bytes", len(s), len(k))
	}
}
