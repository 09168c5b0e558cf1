package replica

import (
	"errors"
	"strings"
	"testing"

	"tagma/pbft/wire"
)

// newOriginRig returns a home of a restored cluster, which began with the state after checkpoint 8.
func newOriginRig(t *testing.T) *rig {
	r := newRig(t)
	r.medium = newMedium()
	r.cfg.Origin = wire.Mark{Seq: 8, Digest: fill(t, loaded(t, r.medium), 8, 10)}
	return r
}

// D8.13, M1: the first start of a restored home loads the state with which the cluster began. So does the next start,
// after a first vote and before any checkpoint.
func TestM1_AStartTakesUpTheOrigin(t *testing.T) {
	r := newOriginRig(t)
	d := r.mustStart()
	if !d.First || d.Applied.Seq != 8 || d.Applied.Root != r.cfg.Origin.Digest {
		t.Fatalf("a first start: first %v, at %d", d.First, d.Applied.Seq)
	}
	if err := r.vote(d, 9); err != nil {
		t.Fatal(err)
	}
	r.stop(true)
	if d = r.mustStart(); d.First || d.Applied.Seq != 8 {
		t.Errorf("the start after it: first %v, at %d", d.First, d.Applied.Seq)
	}
}

// M1: a first start is refused if that state is missing or another state is there, and the error says what to do. If the
// whole cluster began without the state, no replica could ever get it from another.
func TestM1_AFirstStartWithoutTheOriginIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*rig){
		"no store":      func(r *rig) { r.medium = nil },
		"an empty one":  func(r *rig) { r.medium = newMedium() },
		"another state": func(r *rig) { r.cfg.Origin.Digest[0]++ },
	} {
		r := newOriginRig(t)
		spoil(r)
		_, err := r.start()
		if err == nil || errors.As(err, new(*Amnesia)) || !strings.Contains(err.Error(), "tagma restore") {
			t.Errorf("%s: %v", name, err)
		}
		if len(r.lives) > 0 {
			t.Errorf("%s: a life was begun", name)
		}
	}
}

// D8.3: a restored state does not show what the replica has signed. If there is a life beside the key, or if the state
// is not the origin, the replica may have forgotten votes.
func TestD8_3_ARestoredStateWithoutAJournalIsAnAmnesiacs(t *testing.T) {
	for name, spoil := range map[string]func(*rig){
		"it was started before": func(r *rig) { r.text = lifeL.String() },
		"no file life":          func(r *rig) { r.text = "" },
		"more than the origin":  func(r *rig) { fill(t, loaded(t, r.medium), 12, 10) },
	} {
		r := newOriginRig(t)
		spoil(r)
		if _, err := r.start(); !errors.As(err, new(*Amnesia)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
