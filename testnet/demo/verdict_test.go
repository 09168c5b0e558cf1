package demo

import (
	"testing"

	"tagma/testnet/observe"
)

func TestMostViewChanges_AreBoundedUnlessTheMachineWasSeenToStarve(t *testing.T) {
	r := &run{Options: Defaults(), watch: new(observe.Watcher)}
	if most, want := r.mostViewChanges(); most != 1 || want != 1 {
		t.Errorf("at most %d, told as %v; one liar costs one", most, want)
	}
	r.paused = r.ViewTimeout/4 + 1
	if most, want := r.mostViewChanges(); most <= 1 || want == 1 {
		t.Errorf("at most %d, told as %v, although processes had to wait for %v", most, want, r.paused)
	}
}
