package demo

import (
	"testing"

	"tagma/testnet/observe"
)

func TestViewChanges_AreBoundedAndMoreOfThemExcusedOnlyOnAStarvedMachine(t *testing.T) {
	r := &run{Options: Defaults(), watch: new(observe.Watcher)}
	if e := r.viewChanges(1); !e.Held || e.Excused != "" || e.Want != 1 {
		t.Errorf("%+v; one liar costs one", e)
	}
	if e := r.viewChanges(2); e.Held || e.Excused != "" {
		t.Errorf("%+v on a quiet machine", e)
	}
	r.paused = r.ViewTimeout/4 + 1
	if e := r.viewChanges(2); e.Held || e.Excused == "" || e.Want != 1 {
		t.Errorf("%+v, although processes had to wait for %v", e, r.paused)
	}
	if e := r.viewChanges(1); !e.Held || e.Excused != "" {
		t.Errorf("%+v: there is nothing to excuse", e)
	}
}
