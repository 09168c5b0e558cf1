package pbft

import (
	"testing"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// newFullLab is replica self, to which the faulty primary 0 showed another batch for slot 1 in each of maxVoted views, while
// nobody's votes came through. It returns the first of the batches and the last of the views.
func newFullLab(t *testing.T, self wire.ReplicaID) (l *lab, first *wire.Body, last wire.View) {
	l = newLab(t, 4, self)
	for i := range uint64(msglog.MaxVoted) {
		last = wire.View(4 * i)
		if last > 0 {
			l.enter(last)
		}
		b := l.batch(i+1, "one of many")
		if i == 0 {
			first = b
		}
		wantCount(t, broadcasts[*wire.Prepare](l.propose(last, 1, b)), 1, "prepares")
	}
	return l, first, last
}

// V4, N3: a replica keeps every batch that it voted for, however many there are. A faulty replica may hold back a
// prepared certificate of any of them. If it shows the certificate later, the next view must propose that batch, and a
// correct replica must still have its body.
func TestV4_ABodyThatWasVotedForIsNeverForgottenForOthers(t *testing.T) {
	l, first, last := newFullLab(t, 3)
	l.enter(last + 4)
	wantDrop(t, l.propose(last+4, 1, l.batch(1000, "one too many")), port.ReasonNoRoom)
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(last+5, id, wire.StableCert{}))
	}
	vcs[0] = l.viewChange(last+5, 0, wire.StableCert{}, l.preparedCert(0, 1, first))
	effects := l.from(l.cfg.Primary(last+5), l.newViewFrom(last+5, vcs...))
	if p := broadcasts[*wire.Prepare](effects); len(p) != 1 || p[0].Digest != first.Digest() {
		t.Fatalf("prepares %v, want the batch of view 0", p)
	}
}

// N4: if a replica has voted for so many batches in a slot that it accepts no other one there, it still accepts a null,
// because a null needs no body.
func TestN4_ASlotWithTooManyBodiesBecomesNull(t *testing.T) {
	l, _, last := newFullLab(t, 3)
	effects := l.enter(last + 3) // its own
	effects = append(effects, l.fromClient(l.request(1000, "next"))...)
	sent := broadcasts[*wire.PrePrepare](effects)
	if len(sent) != 2 || sent[0].Digest != wire.NullDigest || sent[1].Seq != 2 || sent[1].Digest == wire.NullDigest {
		t.Fatalf("proposals %v, want a null at 1 and the request at 2", sent)
	}
	l, _, last = newFullLab(t, 3)
	l.enter(last + 1)
	wantCount(t, broadcasts[*wire.Prepare](l.propose(last+1, 1, wire.NullBody)), 1, "prepares for a null")
}
