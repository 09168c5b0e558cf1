package kv

import "tagma/statemachine/internal/wire"

// cursor reads operations and results.
type cursor struct{ wire.Cursor }

func read(b []byte) *cursor { return &cursor{wire.Cursor{Rest: b}} }

// failed is a cursor that gives zeros only.
func failed() *cursor { return &cursor{wire.Cursor{Bad: true}} }

// or returns code unless something was malformed before.
func (c *cursor) or(code Code) Code {
	if c.Bad {
		return Malformed
	}
	return code
}
