package comeback

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestWrites_EveryWriterHasKeysOfItsOwn(t *testing.T) {
	const keys, step = 10, 3
	l := newLedger(keys, stampBytes)
	seen := map[int]int{}
	for from := range step {
		own := writes{from: from, step: step, to: keys}
		for range 8 {
			key, _, ok := own.next(l)
			if !ok || key%step != from || key >= keys {
				t.Fatalf("writer %d is given key %d, %v", from, key, ok)
			}
			seen[key]++
		}
	}
	if len(seen) != keys {
		t.Errorf("%d keys are written, want %d", len(seen), keys)
	}
}

func TestWrites_KeysWithOpenOutcomesAreLeftAlone(t *testing.T) {
	l := newLedger(2, stampBytes)
	own := writes{step: 1, to: 2}
	for _, want := range []int{0, 1} {
		key, n, ok := own.next(l)
		if !ok || key != want {
			t.Fatalf("key %d, %v, want %d", key, ok, want)
		}
		l.settle(key, n, key == 1)
	}
	for range 3 {
		if key, _, ok := own.next(l); !ok || key != 1 {
			t.Errorf("key %d, %v, want 1", key, ok)
		}
	}
	l.settle(1, 2, false)
	if key, _, ok := own.next(l); ok {
		t.Errorf("key %d is written though every outcome is open", key)
	}
}

func TestPerSecond_CountsTheSpanAlone(t *testing.T) {
	began := time.Now()
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	acks := []time.Time{at(0), at(100), at(499), at(500), at(900)}
	if got := perSecond(acks, at(100), at(500)); got != 5 {
		t.Errorf("%v a second, want 5", got)
	}
	if got := perSecond(acks, at(100), at(100)); got != 0 {
		t.Errorf("%v a second in no time", got)
	}
	l := &load{began: began, acks: acks}
	for _, c := range []struct{ from, to, want int }{{0, 1000, 400}, {0, 400, 399}, {950, 2000, 1100}} {
		if got := l.silence(at(c.from), at(c.to)); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("silence from %d to %d ms: %v, want %d ms", c.from, c.to, got, c.want)
		}
	}
}

func TestListing_NamesWhatAnEmptyDirectoryHasNot(t *testing.T) {
	dir := t.TempDir()
	if names, err := listing(dir); err != nil || len(names) != 0 {
		t.Errorf("empty: %v, %v", names, err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "state", "x"), []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := listing(dir)
	if err != nil || len(names) != 2 || !slices.Contains(names, filepath.Join("state", "x")+" (3 bytes)") {
		t.Errorf("%v, %v", names, err)
	}
}

func TestCopyTree_KeepsContentsAndModes(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "home"), filepath.Join(t.TempDir(), "kept")
	if err := os.MkdirAll(filepath.Join(from, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"key": 0o600, "data/log": 0o644} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := copyTree(from, to); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key", "data/log"} {
		text, err := os.ReadFile(filepath.Join(to, name))
		if err != nil || string(text) != name {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if info, err := os.Stat(filepath.Join(to, "key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copied key has mode %v, %v", info.Mode(), err)
	}
	if copyTree(from, to) == nil {
		t.Error("a copy over what is there already succeeds")
	}
}

func TestOptions_WhatMakesNoSenseIsNamedByItsFlag(t *testing.T) {
	good := Defaults()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"--keys":         func(o *Options) { o.Keys = fewestKeys - 1 },
		"--value-bytes":  func(o *Options) { o.ValueBytes = stampBytes - 1 },
		"--measure":      func(o *Options) { o.Measure = 0 },
		"--link-bytes":   func(o *Options) { o.LinkBytes = -1 },
		"--view-timeout": func(o *Options) { o.ViewTimeout = time.Millisecond },
		"--within":       func(o *Options) { o.Within = 0 },
		"--only":         func(o *Options) { o.Only = []string{"wipd"} },
	} {
		o := Defaults()
		change(&o)
		if err := o.Check(); err == nil || err.Error()[:len(name)] != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := Defaults()
	o.Only = []string{"old", "wiped"}
	if all := o.chosen(); len(all) != 2 || all[0].name != "wiped" || all[1].name != "old" {
		t.Errorf("chosen in another order than that of the cases: %v", all)
	}
}

func TestUsage_WhatOthersTakeIsNeitherIdleNorOurs(t *testing.T) {
	then := parseStat("cpu  100 0 100 1000 100 0 0 0 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	now := parseStat("cpu  400 100 200 1200 200 50 50 100 0 0\n")
	if d := now.all - then.all; d < 9.999 || d > 10.001 {
		t.Fatalf("%v s in all, want 10", d)
	}
	now.own = 2 // of 7 that were used
	if got := now.takenSince(then); got < 0.499 || got > 0.501 {
		t.Errorf("others took %v, want a half", got)
	}
	now.own = 8 // children that ended were counted late
	if got := now.takenSince(then); got != 0 {
		t.Errorf("others took %v, want none", got)
	}
	for _, text := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h i"} {
		if u := parseStat(text); u != (usage{}) || now.takenSince(u) != 0 {
			t.Errorf("%q is read as %v", text, u)
		}
	}
}

func TestStarved_ByOthersOrByLongWaits(t *testing.T) {
	for _, c := range []struct {
		paused time.Duration
		taken  float64
		want   bool
	}{{0, 0, false}, {0, mostTaken, false}, {0, 0.5, true}, {time.Second, 0, true}} {
		if got := starved(c.paused, time.Second, c.taken) != ""; got != c.want {
			t.Errorf("waited %v, others took %v: %v", c.paused, c.taken, got)
		}
	}
}

func TestAdminAddresses_NoTwoAreAlike(t *testing.T) {
	const many = 200 // of 700: two draws fall on one port for sure
	found, err := adminAddresses(many)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if n := len(slices.Compact(found)); n != many {
		t.Errorf("%d different ones of %d", n, many)
	}
}
