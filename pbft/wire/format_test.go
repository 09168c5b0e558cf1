package wire

import (
	"strings"
	"testing"
)

// Every message and every record is formatted as one line, which begins with its type.
func TestFormat_OneLineForEachMessageAndRecord(t *testing.T) {
	c := newWireCluster(4)
	said := map[string]string{}
	for _, s := range c.samples() {
		got := Format(s.m)
		if !strings.HasPrefix(got, TypeOf(s.m).String()) || strings.ContainsAny(got, "\n%") {
			t.Errorf("a %s is written %q", s.name, got)
		}
		said[s.name] = got
	}
	for _, r := range c.records() {
		kind, _, _ := strings.Cut(r.name, " ")
		if got := FormatRecord(r.r); !strings.HasPrefix(got, kind) || strings.ContainsAny(got, "\n%") {
			t.Errorf("the record %s is written %q", r.name, got)
		}
	}
	for name, want := range map[string]string{
		"prepare":  "prepare v2 s11 d1d20000",
		"status":   "status v4 active executed 12 h 10 lacks [s13 proposal, s15 prepares commits]",
		"attach":   "attach session 7",
		"attached": "attached session 7, the highest is 9, the floor 8",
		"slots":    "slots s11 to s13",
	} {
		if said[name] != want {
			t.Errorf("a %s is written %q, want %q", name, said[name], want)
		}
	}
}

func TestFormat_NothingToDecode(t *testing.T) {
	if got := Format(nil); got != "no message" {
		t.Errorf("what cannot be decoded is written %q", got)
	}
}
