package store

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/statemachine"
)

func TestD5_AViewSeesTheHighestVersionAtOrBelowIt(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	write(t, s, set(1, put("a", "1"), put("", "empty key"), put("!badger!x", "reserved")), set(2, put("a", "2"), put("e", "")))
	write(t, s, set(5, remove("a")))
	write(t, s, set(6))
	check := func() {
		t.Helper()
		for _, want := range []struct {
			at         uint64
			key, value string
		}{
			{0, "a", "-"},
			{1, "a", "1"},
			{1, "", "empty key"},
			{1, "!badger!x", "reserved"},
			{1, "e", "-"},
			{2, "a", "2"},
			{2, "e", ""},
			{4, "a", "2"},
			{5, "a", "-"},
			{6, "e", ""},
		} {
			if got := get(t, s, want.at, want.key); got != want.value {
				t.Errorf("%q at %d is %q, want %q", want.key, want.at, got, want.value)
			}
		}
	}
	check()
	if _, err := s.View(7); !errors.Is(err, ErrNotWritten) {
		t.Errorf("a view above the last write: %v", err)
	}
	root := checkpoint(t, s, 6)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if load(t, s, 6) != root {
		t.Error("the root after a clean stop differs")
	}
	if got := get(t, s, 6, "e"); got != "" {
		t.Errorf("an empty value is %q after a clean stop", got)
	}
}

func TestNothingIsReadableOrWritableBeforeLoad(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.View(0); !errors.Is(err, ErrNotLoaded) {
		t.Errorf("View: %v", err)
	}
	if err := s.Write([]statemachine.WriteSet{set(1, put("a", "1"))}); !errors.Is(err, ErrNotLoaded) {
		t.Errorf("Write: %v", err)
	}
	if _, err := s.Checkpoint(1); !errors.Is(err, ErrNotLoaded) {
		t.Errorf("Checkpoint: %v", err)
	}
}

// Random sets, clean stops and crashes; the test compares the store with a map for each version. The memtables are
// small, so that compaction happens, too.
func TestD5_ViewsAgreeWithAModelOfVersions(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 5))
		dir := t.TempDir()
		s := open(t, dir)
		load(t, s, 0)
		m := model{{}}
		for len(m) < 400 {
			var sets []statemachine.WriteSet
			for range 1 + r.IntN(4) {
				sets = append(sets, randomSet(r, uint64(len(m))))
				m.apply(sets[len(sets)-1])
			}
			write(t, s, sets...)
			last := uint64(len(m) - 1)
			switch r.IntN(40) {
			case 0:
				s.Discard(last - min(last, uint64(r.IntN(30))))
			case 1:
				if checkpoint(t, s, last) != m.root(last) {
					t.Fatalf("seed %d: root at %d differs from the model's", seed, last)
				}
			case 2:
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir)
				load(t, s, last)
			case 3:
				dir = crashImage(t, dir)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, dir)
				if load(t, s, last) != m.root(last) {
					t.Fatalf("seed %d: root after a crash at %d differs from the model's", seed, last)
				}
			}
			at := s.Floor() + uint64(r.IntN(int(last-s.Floor())+1))
			compareScan(t, s, at, m[at], r)
		}
	}
}

func compareScan(t *testing.T, s *Store, at uint64, want map[string]string, r *rand.Rand) {
	t.Helper()
	start, end := []byte{'k', byte('0' + r.IntN(10))}, []byte{'k', byte('0' + r.IntN(10))}
	if r.IntN(4) == 0 {
		start, end = nil, nil
	}
	v, err := s.View(at)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var keys []string
	for e, err := range v.Scan(start, end) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, string(e.Key))
		if want[string(e.Key)] != string(e.Value) {
			t.Fatalf("%q at %d is %q, want %q", e.Key, at, e.Value, want[string(e.Key)])
		}
		if value, found, err := v.Get(e.Key); err != nil || !found || string(value) != string(e.Value) {
			t.Fatalf("Get and Scan disagree on %q at %d: %q %v %v", e.Key, at, value, found, err)
		}
	}
	var wantKeys []string
	for k := range want {
		if k >= string(start) && (end == nil || k < string(end)) {
			wantKeys = append(wantKeys, k)
		}
	}
	slices.Sort(wantKeys)
	if !slices.Equal(keys, wantKeys) {
		t.Fatalf("scan [%q, %q) at %d yields %q, want %q", start, end, at, keys, wantKeys)
	}
	slices.Reverse(wantKeys)
	keys = nil
	for e, err := range v.Walk(start, end, true) {
		if e.Deleted {
			continue
		}
		if err != nil || want[string(e.Key)] != string(e.Value) {
			t.Fatalf("%q at %d is %q going down, want %q; %v", e.Key, at, e.Value, want[string(e.Key)], err)
		}
		keys = append(keys, string(e.Key))
	}
	if !slices.Equal(keys, wantKeys) {
		t.Fatalf("scan [%q, %q) at %d yields %q going down, want %q", start, end, at, keys, wantKeys)
	}
	slices.Reverse(wantKeys)
	keys = nil
	for e, err := range v.Walk(start, end, false) {
		if err != nil || e.Deleted != (want[string(e.Key)] == "") || want[string(e.Key)] != string(e.Value) {
			t.Fatalf("%q at %d is %q, %t walking up, want %q; %v", e.Key, at, e.Value, e.Deleted, want[string(e.Key)], err)
		}
		if !e.Deleted {
			keys = append(keys, string(e.Key))
		}
	}
	if !slices.Equal(keys, wantKeys) {
		t.Fatalf("walk [%q, %q) at %d yields %q, want %q", start, end, at, keys, wantKeys)
	}
}

func TestAScanStopsWhenItsReaderDoes(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(1, put("a", "1"), put("b", "2"), put("c", "3")))
	v, err := s.View(1)
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range v.Scan([]byte("b"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if string(e.Key) != "b" {
			t.Errorf("the first key is %q", e.Key)
		}
		break
	}
	for e, err := range v.Walk(nil, []byte("c"), true) {
		if err != nil || string(e.Key) != "b" {
			t.Errorf("the first key below c is %q, %v", e.Key, err)
		}
		break
	}
	v.Close()
	v.Close()
}
