package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// V4: a new view may choose a batch of which only the digest is known. While no replica sends the body, a replica
// reports that it lacks the body, and since when. It does so for every such batch.
func TestWaits_SayThatTheBodyOfAChosenBatchLacks(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "lost")
	vcs := []*wire.ViewChange{
		l.viewChange(1, 0, wire.StableCert{}), l.viewChange(1, 1, wire.StableCert{}, l.preparedCert(0, 1, b)), l.viewChange(1, 2, wire.StableCert{}),
	}
	l.from(1, l.newViewFrom(1, vcs...))
	l.wait(300 * time.Millisecond)
	slots := l.r.Waits().Slots
	if len(slots) != 1 || slots[0].Seq != 1 || !slots[0].Accepted || slots[0].Held || slots[0].For != 300*time.Millisecond {
		t.Fatalf("%+v", slots)
	}
	l.from(1, &wire.CertifiedBody{Seq: 1, Body: b})
	if slots := l.r.Waits().Slots; len(slots) != 1 || !slots[0].Held {
		t.Fatalf("with the body: %+v", slots)
	}
}

// V7: a replica reports that it suspects the primary only while it renews its Suspect, not until the view ends.
func TestWaits_SuspicionEndsWithItsRenewal(t *testing.T) {
	l := newLab(t, 4, 3)
	l.wait(l.cfg.ViewTimeout)
	l.wait(l.cfg.ViewTimeout)
	w := l.r.Waits()
	if len(w.Suspects) != 1 || w.Suspects[0] != 3 || !w.Silence || w.Timer != port.CauseSilence || w.Left > 0 {
		t.Fatalf("while the primary is silent: %+v", w)
	}
	for range 20 {
		l.wait(l.cfg.ViewTimeout / 4)
		l.from(0, l.signBy(&wire.Heartbeat{}, 0))
	}
	if w := l.r.Waits(); len(w.Suspects) > 0 || w.Left == 0 {
		t.Fatalf("since it is heard again: %+v", w)
	}
}

func BenchmarkWaits(b *testing.B) {
	l := newLab(b, 4, 3)
	for s := range wire.Seq(8) {
		l.propose(0, s+1, l.batch(uint64(s)+1, "x"))
	}
	for b.Loop() {
		l.r.Waits()
	}
}
