package comeback

import (
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
	then, now := usage{all: 10, busy: 1}, usage{all: 20, busy: 8}
	now.own = 2 // of 7 that were used
	if got := now.takenSince(then); got < 0.499 || got > 0.501 {
		t.Errorf("others took %v, want a half", got)
	}
	now.own = 8 // children that ended were counted late
	if got := now.takenSince(then); got != 0 {
		t.Errorf("others took %v, want none", got)
	}
	if got := now.takenSince(usage{}); got != 0 {
		t.Errorf("others took %v where the system did not tell", got)
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
