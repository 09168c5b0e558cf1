package statemachine

import (
	"bytes"
	"strings"
	"testing"
)

func sample() *session {
	s := &session{owner: &client{}, number: 7}
	var t touched
	s.acknowledge(3, &t)
	s.remember(cached{t: 9, digest: [32]byte{9}, seq: 5, results: [][]byte{[]byte("nine"), {}}}, &t)
	s.remember(cached{t: 3, digest: [32]byte{3}, seq: 6, results: [][]byte{}}, &t)
	return s
}

func TestSessionRecord_HasOneEncodingAndRefusesEveryOther(t *testing.T) {
	record := sample().encode()
	s := &session{owner: &client{}, number: 7}
	if err := s.decode(record); err != nil || !bytes.Equal(s.encode(), record) {
		t.Fatalf("a record did not survive: %v", err)
	}
	if size := len(record) - 13; s.replyBytes != size || s.owner.replyBytes != size {
		t.Errorf("counted %d and %d bytes of replies, encoded %d", s.replyBytes, s.owner.replyBytes, size)
	}
	for n := range record {
		if decodes(record[:n]) {
			t.Errorf("a record cut to %d bytes was accepted", n)
		}
	}
	for what, change := range map[string]func(r []byte) []byte{
		"a trailing byte":        func(r []byte) []byte { return append(r, 0) },
		"another version":        func(r []byte) []byte { r[0]++; return r },
		"a reply below acked":    func(r []byte) []byte { r[8] = 4; return r },
		"replies out of order":   func(r []byte) []byte { r[13+7] = 9; return r },
		"an absurd count":        func(r []byte) []byte { r[9] = 0xff; return r },
		"an absurd result count": func(r []byte) []byte { r[13+48] = 0xff; return r },
	} {
		if decodes(change(bytes.Clone(record))) {
			t.Errorf("%s was accepted", what)
		}
	}
}

func decodes(record []byte) bool { return (&session{owner: &client{}}).decode(record) == nil }

func TestClientRecord_HasOneEncodingAndRefusesEveryOther(t *testing.T) {
	c := &client{floor: 4}
	var changed touched
	lim, _ := Limits{}.withDefaults()
	for _, number := range []uint64{9, 5, 7} {
		c.open(number, &lim, &changed)
	}
	record := c.encode()
	again, err := decodeClient(c.key, record)
	if err != nil || !bytes.Equal(again.encode(), record) || len(again.held) != 3 {
		t.Fatalf("a record did not survive: %v", err)
	}
	for what, change := range map[string]func(r []byte) []byte{
		"a trailing byte":             func(r []byte) []byte { return append(r, 0) },
		"a cut":                       func(r []byte) []byte { return r[:len(r)-1] },
		"a session at the floor":      func(r []byte) []byte { r[8] = 5; return r },
		"a session twice":             func(r []byte) []byte { r[13+7] = 7; return r },
		"more sessions than it holds": func(r []byte) []byte { r[12]++; return r },
	} {
		if _, err := decodeClient(c.key, change(bytes.Clone(record))); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

func TestLimits_NegativeOnesAreRefusedByName(t *testing.T) {
	_, err := New(nil, nil, Limits{MaxKeyBytes: -1})
	if err == nil || !strings.Contains(err.Error(), "MaxKeyBytes") {
		t.Errorf("got %v", err)
	}
}

// FuzzSessionRecord: the decoder accepts exactly what the encoder writes, and never panics.
func FuzzSessionRecord(f *testing.F) {
	f.Add(sample().encode())
	f.Add((&session{}).encode())
	f.Fuzz(func(t *testing.T, record []byte) {
		s := &session{owner: &client{}}
		if s.decode(record) == nil && !bytes.Equal(s.encode(), record) {
			t.Errorf("accepted %x, which encodes as %x", record, s.encode())
		}
	})
}
