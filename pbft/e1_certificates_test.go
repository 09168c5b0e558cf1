package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// wantConvicted checks that evidence with one kind of statement is reported against a replica exactly once, and that
// every other replica accepts it.
func wantConvicted(t *testing.T, l *lab, effects []port.Effect, who wire.ReplicaID, about wire.Type) {
	t.Helper()
	accused := all[port.Accuse](effects)
	wantCount(t, accused, 1, "accusations")
	e := accused[0].Evidence
	if e.Replica != who || wire.TypeOf(e.First) != about {
		t.Fatalf("replica %d is accused by two of %v, want %d by two of %v", e.Replica, wire.TypeOf(e.First), who, about)
	}
	if err := e.Verify(&l.cfg, wireHolds); err != nil {
		t.Fatal(err)
	}
}

// E1: a primary proposed one batch to this replica, and another one to the replicas where it prepared. A view change for
// the next view shows the second batch and so proves this. It does so even if it arrives when this replica has already
// left the view.
func TestE1_APreparedCertificateConvictsThePrimaryOfWhatWasAccepted(t *testing.T) {
	for _, left := range []bool{false, true} {
		l := newLab(t, 4, 3)
		l.propose(0, 1, l.batch(1, "a"))
		if left {
			l.suspected(1)
		}
		other := l.preparedCert(0, 1, l.batch(1, "b"))
		wantConvicted(t, l, l.from(2, l.viewChange(1, 2, wire.StableCert{}, other)), 0, wire.TypePrePrepare)
		wantCount(t, all[port.Accuse](l.from(1, l.viewChange(1, 1, wire.StableCert{}, other))), 0, "further accusations by the same")
	}
}

// E1: in the same way, a backup that prepared two batches is convicted.
func TestE1_APreparedCertificateConvictsABackupOfItsPrepare(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(1, l.prepare(0, 1, wire.Digest{1}, 1))
	vc := l.viewChange(1, 2, wire.StableCert{}, l.preparedCert(0, 1, l.batch(1, "b")))
	wantConvicted(t, l, l.from(2, vc), 1, wire.TypePrepare)
	wantCount(t, all[port.Accuse](l.from(0, vc)), 0, "accusations by a view change that is held")
}

// E1: a replica also finds evidence in the commits of a certificate by which it follows, and in the checkpoint votes of
// a stable certificate.
func TestE1_CommitAndStableCertificatesConvictTheirSigners(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.from(1, l.commit(0, 1, wire.Digest{1}, 1))
	wantConvicted(t, l, l.from(0, &wire.CertifiedBody{Seq: 1, Body: b, Cert: l.commitCert(0, 1, b.Digest())}), 1, wire.TypeCommit)
	l.from(2, l.checkpoint(4, wire.Digest{1}, 2))
	wantConvicted(t, l, l.from(0, &wire.StableNotice{Cert: l.stableCert(4)}), 2, wire.TypeCheckpoint)

	l = newLab(t, 4, 3)
	l.from(2, l.checkpoint(4, wire.Digest{1}, 2))
	wantConvicted(t, l, l.from(1, l.viewChange(1, 1, l.stableCert(4))), 2, wire.TypeCheckpoint)
}

// E1: two pre-prepares for one view and sequence number are proof of misbehaviour, even if one of them waits or arrives
// after its view.
func TestE1_PrePreparesThatWaitOrComeLateConvict(t *testing.T) {
	l := newLab(t, 4, 3)
	l.propose(1, 1, l.batch(1, "a")) // for view 1, which is not active at this replica
	wantConvicted(t, l, l.propose(1, 1, l.batch(2, "b")), 1, wire.TypePrePrepare)

	l = newLab(t, 4, 3)
	l.propose(0, 1, l.batch(1, "a"))
	l.suspected(1)
	l.enter(1)
	wantConvicted(t, l, l.propose(0, 1, l.batch(2, "b")), 0, wire.TypePrePrepare)

	l = newLab(t, 4, 3)
	l.propose(1, 1, l.batch(1, "a"))
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(3) {
		vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}, l.preparedCert(0, 1, wire.NullBody)))
	}
	wantConvicted(t, l, l.from(1, l.newViewFrom(1, vcs...)), 1, wire.TypePrePrepare)
}

// E1, D4: two NewViews for one view are proof of misbehaviour, whether the first one was refused or entered.
func TestE1_TwoNewViewsOfOneViewConvict(t *testing.T) {
	views := func(l *lab) (one, other *wire.NewView) {
		var vcs []*wire.ViewChange
		for id := range wire.ReplicaID(4) {
			vcs = append(vcs, l.viewChange(1, id, wire.StableCert{}))
		}
		return l.newViewFrom(1, vcs[:3]...), l.newViewFrom(1, vcs[1:]...)
	}
	l := newLab(t, 4, 3)
	one, other := views(l)
	l.from(1, one)
	wantCount(t, all[port.Accuse](l.from(2, one)), 0, "accusations of who said one thing twice")
	wantConvicted(t, l, l.from(1, other), 1, wire.TypeNewView)

	l = newLab(t, 4, 3)
	_, other = views(l)
	l.suspected(1)
	wrong := l.newViewFrom(1, l.viewChange(1, 0, wire.StableCert{}, l.preparedCert(0, 1, l.batch(1, "a"))),
		l.viewChange(1, 1, wire.StableCert{}), l.viewChange(1, 2, wire.StableCert{}))
	wrong.Proposals[0].Digest = wire.NullDigest
	l.signBy(wrong, 1)
	l.from(1, wrong)
	wantConvicted(t, l, l.from(1, other), 1, wire.TypeNewView)
	if !l.r.active {
		t.Error("the second one is not entered, though it follows from its view changes")
	}
}

// E1: a view change inside a NewView is compared with held ones in the same way as a view change that arrives alone.
func TestE1_ANewViewShowsTheSecondViewChangeOfALiar(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(2, l.viewChange(1, 2, wire.StableCert{}))
	lie := l.viewChange(1, 2, wire.StableCert{}, l.preparedCert(0, 1, wire.NullBody))
	m := l.newViewFrom(1, l.viewChange(1, 0, wire.StableCert{}), l.viewChange(1, 1, wire.StableCert{}), lie)
	wantConvicted(t, l, l.from(1, m), 2, wire.TypeViewChange)
}
