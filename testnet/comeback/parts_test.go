package comeback

import (
	"testing"
	"time"

	"tagma/testnet/play"
)

func TestPerSecond_CountsTheSpanAlone(t *testing.T) {
	const ms = time.Millisecond
	var acks []play.Ack
	for _, at := range []time.Duration{0, 100, 499, 500, 900} {
		acks = append(acks, play.Ack{At: at * ms})
	}
	if got := perSecond(acks, 100*ms, 500*ms); got != 5 {
		t.Errorf("%v a second, want 5", got)
	}
	if got := perSecond(acks, 100*ms, 100*ms); got != 0 {
		t.Errorf("%v a second in no time", got)
	}
	for _, c := range []struct{ from, to, want time.Duration }{{0, 1000, 400}, {0, 400, 399}, {950, 2000, 1100}} {
		if got := play.Silence(acks, c.from*ms, c.to*ms); got != c.want*ms {
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
		"--value-bytes":  func(o *Options) { o.ValueBytes = fewestInValue - 1 },
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
