package memstore_test

import (
	"errors"
	"fmt"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

func put(key, value string) statemachine.Write {
	return statemachine.Write{Key: []byte(key), Value: []byte(value)}
}

// filled returns a store with a=1 at sequence number 1, a=2 and b=2 at 2, no change at 3, and only b=4 at 4.
func filled(t *testing.T) *memstore.Store {
	t.Helper()
	s := memstore.New()
	err := s.Write([]statemachine.WriteSet{
		{Seq: 1, Writes: []statemachine.Write{put("a", "1")}},
		{Seq: 2, Writes: []statemachine.Write{put("a", "2"), put("b", "2")}},
		{Seq: 3},
		{Seq: 4, Writes: []statemachine.Write{{Key: []byte("a"), Delete: true}, put("b", "4")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func text(t *testing.T, s *memstore.Store, at uint64) string {
	t.Helper()
	v, err := s.View(at)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	out := ""
	for e, err := range v.Scan(nil, nil) {
		value, found, getErr := v.Get(e.Key)
		if err != nil || getErr != nil || !found || string(value) != string(e.Value) {
			t.Errorf("%s: scanned %q, %v, got %q, %t, %v", e.Key, e.Value, err, value, found, getErr)
		}
		out += fmt.Sprintf("%s=%s ", e.Key, e.Value)
	}
	return out
}

func TestView_SeesTheHighestVersionAtOrBelowIt(t *testing.T) {
	s := filled(t)
	for at, want := range []string{"", "a=1 ", "a=2 b=2 ", "a=2 b=2 ", "b=4 "} {
		if got := text(t, s, uint64(at)); got != want {
			t.Errorf("at %d: got %q, want %q", at, got, want)
		}
	}
	if _, err := s.View(5); err == nil {
		t.Error("a state that was never written could be viewed")
	}
}

func TestD5_WritingAVersionAgainChangesNothing(t *testing.T) {
	s := filled(t)
	before, err := s.Checkpoint(4)
	if err != nil {
		t.Fatal(err)
	}
	again := statemachine.WriteSet{Seq: 2, Writes: []statemachine.Write{put("a", "2"), put("b", "2")}}
	if err := s.Write([]statemachine.WriteSet{again}); err != nil {
		t.Fatal(err)
	}
	if after, err := s.Checkpoint(4); err != nil || after != before {
		t.Errorf("the root at 4 changed: %v", err)
	}
	if got := text(t, s, 2); got != "a=2 b=2 " {
		t.Errorf("at 2: %q", got)
	}
}

func TestCheckpoint_TellsStatesApartAndNotWhatLiesAbove(t *testing.T) {
	s := filled(t)
	roots := map[[32]byte]uint64{}
	for _, seq := range []uint64{0, 1, 2, 4} {
		root, err := s.Checkpoint(seq)
		if err != nil {
			t.Fatal(err)
		}
		if other, dup := roots[root]; dup {
			t.Errorf("the states at %d and %d differ, their roots do not", other, seq)
		}
		roots[root] = seq
	}
	if root, err := s.Checkpoint(3); err != nil || roots[root] != 2 {
		t.Errorf("an empty set changed the root: %v", err)
	}
}

func TestDiscard_KeepsWhatAViewAtOrAboveItSees(t *testing.T) {
	s := filled(t)
	s.Discard(3)
	if got := text(t, s, 3) + text(t, s, 4); got != "a=2 b=2 b=4 " {
		t.Errorf("at 3 and 4: %q", got)
	}
	if _, err := s.View(2); !errors.Is(err, statemachine.ErrNotRetained) {
		t.Errorf("at 2: %v", err)
	}
	s.Discard(4)
	if got := text(t, s, 4); got != "b=4 " {
		t.Errorf("at 4: %q", got)
	}
}
