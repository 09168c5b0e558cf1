package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// newLeftBehindLab returns a replica that lags so far that others no longer hold the batches that it needs. It had
// accepted slot 20 of its view.
func newLeftBehindLab(t *testing.T) *lab {
	l := newLab(t, 4, 3)
	l.from(1, &wire.StableNotice{Cert: l.stableCert(16)})
	l.propose(0, 20, l.batch(20, "accepted and not seen to commit"))
	l.from(1, &wire.StableNotice{Cert: l.stableCert(40)})
	if !l.r.leftBehind() {
		t.Fatal("the replica can follow")
	}
	return l
}

// N7, X1: a replica that is left behind does not ask for batches below h. It cannot execute them. Besides, it would drop
// them because of the bound on bytes, and fetch them again and again.
func TestN7_WhoIsLeftBehindAsksForNothingBelowTheWatermark(t *testing.T) {
	l := newLeftBehindLab(t)
	b := l.batch(30, "decided")
	for id := range wire.ReplicaID(3) {
		l.from(id, l.commit(0, 30, b.Digest(), id))
	}
	l.propose(0, 42, l.batch(42, "to vote for"))
	effects := l.wait(l.cfg.ViewTimeout / 2)
	wantCount(t, sends[*wire.Fetch](effects), 0, "questions for bodies")
	status := broadcasts[*wire.Status](effects)
	wantCount(t, status, 1, "status messages")
	if s := status[0].Slots; len(s) != 2 || s[0].Seq != 41 || s[1].Seq != 42 {
		t.Fatalf("lacks %v, want 41 and 42", s)
	}
	wantDrop(t, l.from(1, &wire.CertifiedBody{Seq: 30, Body: b}), port.ReasonUnknownBody)
	wantCount(t, broadcasts[*wire.Status](l.wait(l.cfg.ViewTimeout/8)), 1, "status messages while it lacks votes above h")
}

// V7: a replica that is left behind does not suspect the primary because it makes no progress itself. Otherwise it and
// one faulty replica could replace one correct primary after the other.
func TestV7_WhoIsLeftBehindDoesNotSuspectForWhatLiesBelowTheWatermark(t *testing.T) {
	l := newLeftBehindLab(t)
	for range 40 {
		beat := &wire.Heartbeat{View: 0}
		l.signBy(beat, 0)
		l.from(0, beat)
		wantCount(t, broadcasts[*wire.Suspect](l.wait(100*time.Millisecond)), 0, "suspects")
	}
}
