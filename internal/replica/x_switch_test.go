package replica

import (
	"errors"
	"testing"
	"time"

	"tagma/checkpoint/store"
	"tagma/pbft/wire"
)

// X6: the state is adopted only when the core has said that its record is durable.
func TestX6_AStateIsAdoptedInItsPlaceOnly(t *testing.T) {
	w := newWorld(t, 4, 3000)
	for w.mover.phase != Idle {
		if _, err := w.mover.Adopt(12); err == nil {
			t.Fatal("adopted another one")
		}
		phase := w.mover.phase
		if _, err := w.mover.Adopt(8); (err == nil) != (phase == Switching) {
			t.Fatalf("adopted in phase %q: %v", phase, err)
		}
		w.deaf = true
		w.step()
	}
}

// X7: after Close no transfer is running. Later results of jobs and answers of donors are ignored, and the store can be
// used by others.
func TestX7_NothingComesBehindClose(t *testing.T) {
	for _, phase := range []Phase{Choosing, Loading, Fetching, Switching} {
		w := newWorld(t, 4, 3000)
		for w.mover.phase != phase {
			w.deaf = true
			w.step()
		}
		w.mover.Close()
		w.host.sent, w.host.events = nil, nil
		w.host.settle()
		for _, a := range w.onItsWay {
			w.mover.Data(a.from, wire.Own(a.m), w.host.now)
		}
		w.mover.Tick(w.host.now + time.Minute)
		open := isStaging(w.store)
		if len(w.host.sent) > 0 || len(w.host.events) > 0 || open || w.mover.Active() {
			t.Errorf("closed while %s: %d sent, %d events, a stage is open: %v, active: %v", phase, len(w.host.sent),
				len(w.host.events), open, w.mover.Active())
		}
	}
}

func isStaging(s *testStore) bool {
	stage, err := s.Stage(1 << 40)
	if err == nil {
		stage.Close()
	}
	return errors.Is(err, store.ErrStaging)
}

// D6: a failure of the store while a state is being written is final.
func TestD6_AFailureOfTheStageIsFinal(t *testing.T) {
	w := newWorld(t, 4, 3000)
	w.until(4, "it fetches", func() bool { return w.mover.phase == Fetching })
	w.store.on.fail = errCrashed
	for range 16 {
		if w.mover.failed != nil {
			return
		}
		w.stepUnchecked()
	}
	t.Error("the failure is not told")
}

func (w *world) stepUnchecked() {
	for _, l := range w.host.sent {
		w.ask(w.donors[l.to], l)
	}
	w.host.sent = nil
	for _, a := range w.onItsWay {
		w.mover.Data(a.from, wire.Own(a.m), w.host.now)
	}
	w.onItsWay = nil
}

// The share of a round, which is shown to people, never falls, and the reported numbers add up.
func TestProgress_TheShareOfARoundNeverFalls(t *testing.T) {
	w := newWorld(t, 4, 20000)
	w.rate = 1
	var last Progress
	for w.mover.phase != Idle {
		p := w.mover.Progress()
		if p.Share < last.Share || p.Bytes < last.Bytes || p.Keys < last.Keys || p.Share > 1 {
			t.Fatalf("%+v behind %+v", p, last)
		}
		if p.Share > 0 && p.Share < 1 && (p.Rate() <= 0 || p.Remaining() <= 0) {
			t.Fatalf("%v a second, %v remain of %+v", p.Rate(), p.Remaining(), p)
		}
		if p.Share > 0 && p.Share < 1 && (p.Pinned != 3 || len(p.Donors) != 3) {
			t.Fatalf("served by %v", p.Donors)
		}
		last = p
		w.step()
	}
	if p := w.mover.Progress(); p.Share != 1 || p.Remaining() != 0 || p.Keys != 20000 {
		t.Errorf("in the end %+v", p)
	}
	if p := (&Progress{Began: 10 * time.Second, Now: 20 * time.Second, Share: 0.25, Bytes: 1000}); p.Rate() != 100 ||
		p.Remaining() != 30*time.Second {
		t.Errorf("%v a second, %v remain", p.Rate(), p.Remaining())
	}
}
