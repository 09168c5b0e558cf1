package demo

import (
	"errors"
	"strings"
	"testing"

	"tagma/testnet/tell"
)

func TestConsole_PlainOutputHasNoControlCharacters(t *testing.T) {
	var out strings.Builder
	c := NewConsole(&out, tell.Style{})
	c.Begin("load", "requests")
	c.Advance(1, 2, "done")
	c.Note("a note")
	c.End("%d done", 2)
	c.Begin("next", "more")
	c.Fail(errors.New("it broke"))
	if strings.ContainsAny(out.String(), "\x1b\r") {
		t.Errorf("%q", out.String())
	}
	for _, part := range []string{"load", "a note", "2 done", "it broke"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q does not tell %q", out.String(), part)
		}
	}
}
