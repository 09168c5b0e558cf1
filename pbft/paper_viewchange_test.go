package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// §4.4: the view change's message has the stable certificate and, for each sequence number prepared above it, a proof.
func TestPaper44_V1_PCoversEverythingPrepared(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.from(0, &wire.StableNotice{Cert: l.stableCert(4)})
	l.propose(0, 5, l.batch(2, "accepted only"))
	l.propose(0, 6, b)
	l.from(1, l.prepare(0, 6, b.Digest(), 1))
	vc := broadcasts[*wire.ViewChange](l.suspected(1))
	wantCount(t, vc, 1, "view changes")
	m := vc[0]
	if m.View != 1 || m.Stable.Seq != 4 || len(m.Prepared) != 1 || m.Prepared[0].Seq != 6 || m.Prepared[0].Digest != b.Digest() {
		t.Fatalf("view change %+v", m)
	}
	if err := wire.Check(&l.cfg, m); err != nil {
		t.Fatal(err)
	}
}

// V1: P also contains a slot that prepared in an earlier view and has not prepared again since. Its certificate is from
// the highest view in which it prepared.
func TestV1_PKeepsCertificatesOfEarlierViews(t *testing.T) {
	l := newLab(t, 4, 3)
	b := l.batch(1, "a")
	l.propose(0, 1, b)
	l.from(1, l.prepare(0, 1, b.Digest(), 1))
	l.enter(2) // no view change in V shows it as prepared, so O is empty
	vc := broadcasts[*wire.ViewChange](l.suspected(3))
	wantCount(t, vc, 1, "view changes")
	if p := vc[0].Prepared; len(p) != 1 || p[0].View != 0 || p[0].Seq != 1 {
		t.Fatalf("P = %+v", p)
	}
}

// §4.4, V2: the validity of a view change depends only on its own bytes. One invalid part makes the whole message
// invalid.
func TestPaper44_V2_WhatVoidsAViewChange(t *testing.T) {
	for name, change := range map[string]func(l *lab, m *wire.ViewChange){
		"no justification":                    func(_ *lab, m *wire.ViewChange) { m.Suspects = nil },
		"one suspect twice":                   func(_ *lab, m *wire.ViewChange) { m.Suspects[1] = m.Suspects[0] },
		"a suspect of an older view":          func(l *lab, m *wire.ViewChange) { m.Suspects[0] = *l.suspect(3, 0) },
		"a stable certificate without Q":      func(_ *lab, m *wire.ViewChange) { m.Stable.Checkpoints = m.Stable.Checkpoints[:2] },
		"prepared in its own view":            func(l *lab, m *wire.ViewChange) { m.Prepared[0] = l.preparedCert(5, 9, wire.NullBody) },
		"prepared at h":                       func(l *lab, m *wire.ViewChange) { m.Prepared[0] = l.preparedCert(1, 8, wire.NullBody) },
		"prepared above H":                    func(l *lab, m *wire.ViewChange) { m.Prepared[1] = l.preparedCert(1, 17, wire.NullBody) },
		"two certificates for one place":      func(l *lab, m *wire.ViewChange) { m.Prepared[1] = m.Prepared[0] },
		"a certificate short of one prepare":  func(_ *lab, m *wire.ViewChange) { m.Prepared[0].Prepares = m.Prepared[0].Prepares[:1] },
		"a certificate with one signer twice": func(_ *lab, m *wire.ViewChange) { m.Prepared[0].Prepares[1] = m.Prepared[0].Prepares[0] },
		"a prepare by that view's primary":    func(_ *lab, m *wire.ViewChange) { m.Prepared[0].Prepares[0].Replica = 0; m.Prepared[0].View = 0 },
		"a pre-prepare by somebody else": func(l *lab, m *wire.ViewChange) {
			m.Prepared[0].PrePrepare = l.prepare(1, 9, wire.NullDigest, 2).Sig
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, 4, 3)
			m := l.viewChange(5, 2, l.stableCert(8), l.preparedCert(1, 9, wire.NullBody), l.preparedCert(2, 16, wire.NullBody))
			if _, err := wire.Verify(&l.cfg, m, wireHolds); err != nil {
				t.Fatalf("refused before the change: %v", err)
			}
			change(l, m)
			l.signBy(m, 2)
			if _, err := wire.Verify(&l.cfg, m, wireHolds); err == nil {
				t.Fatal("verified")
			}
		})
	}
}

// V7: f Suspects do not change the view. With f+1, a replica moves to the highest view that f+1 replicas want. Its
// ViewChange contains exactly these Suspects.
func TestV7_FPlusOneSuspectsLeaveAView(t *testing.T) {
	l := newLab(t, 7, 6) // f = 2
	l.from(0, l.suspect(9, 0))
	l.from(1, l.suspect(4, 1))
	if l.r.view != 0 || !l.r.active {
		t.Fatal("left with f suspects")
	}
	vc := broadcasts[*wire.ViewChange](l.from(2, l.suspect(2, 2)))
	wantCount(t, vc, 1, "view changes")
	if vc[0].View != 3 || len(vc[0].Suspects) != 3 {
		t.Fatalf("to view %d with %d suspects, want 3 with 3", vc[0].View, len(vc[0].Suspects))
	}
}

// V7: a replica that suspects the primary continues to vote, and sends its Suspect again in each timeout.
func TestV7_ASuspectingReplicaGoesOnVoting(t *testing.T) {
	l := newLab(t, 4, 3)
	wantCount(t, broadcasts[*wire.Suspect](l.wait(3*l.cfg.ViewTimeout)), 1, "suspects of a silent primary")
	wantCount(t, broadcasts[*wire.Prepare](l.propose(0, 1, l.batch(1, "a"))), 1, "prepares")
	wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout/2)), 0, "suspects half a timeout later")
	wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout)), 1, "suspects a timeout later")
}

// V7: a valid ViewChange makes its receiver move, too, if f others also want to leave the view. The receiver's own
// ViewChange contains the same Suspects.
func TestV7_AViewChangeIsFollowed(t *testing.T) {
	l := newLab(t, 4, 3)
	m := l.viewChange(4, 2, wire.StableCert{})
	l.from(1, l.suspect(0, 1)) // this one wants to leave an earlier view, not this one
	l.from(1, l.suspect(3, 1))
	own := broadcasts[*wire.ViewChange](l.from(1, m)) // anybody may pass it on
	wantCount(t, own, 1, "view changes")
	if own[0].View != 4 || own[0].Suspects[0] != m.Suspects[0] || own[0].Suspects[1] != m.Suspects[1] {
		t.Fatalf("view change %+v", own[0])
	}
}

// §4.4, V5: while no view is active, a replica does not take part in ordering, and requests wait.
func TestPaper44_V5_NoOrderingWhileInactive(t *testing.T) {
	l := newLab(t, 4, 2) // the primary of view 2
	l.fromClient(l.request(1, "a"))
	effects := l.suspected(2)
	effects = append(effects, l.propose(0, 1, l.batch(2, "b"))...)
	effects = append(effects, l.propose(1, 1, l.batch(3, "c"))...)
	effects = append(effects, l.fromClient(l.request(4, "d"))...)
	effects = append(effects, l.wait(10*time.Millisecond)...)
	wantCount(t, broadcasts[*wire.Prepare](effects), 0, "prepares")
	wantCount(t, broadcasts[*wire.PrePrepare](effects), 0, "pre-prepares")
	wantCount(t, sends[*wire.Request](effects), 0, "relayed requests")
	if l.r.pool.WaitingAll() != 2 {
		t.Fatalf("%d requests wait", l.r.pool.WaitingAll())
	}
}

// V5: a replica sends its view change again until the view is active. After that it sends the NewView to replicas in
// lower views.
func TestV5_WhoIsBehindIsBroughtIntoTheView(t *testing.T) {
	l := newLab(t, 4, 3)
	own := broadcasts[*wire.ViewChange](l.suspected(1))[0]
	again := sends[*wire.ViewChange](l.from(2, &wire.Status{Active: true}))
	wantCount(t, again, 1, "view changes to a replica in view 0")
	if again[0] != own {
		t.Fatal("D7: another view change than the first time")
	}
	l.wait(time.Second / 10)
	wantCount(t, sends[*wire.ViewChange](l.from(2, &wire.Status{View: 1, ViewChanges: []wire.ReplicaID{3}})), 0, "to who has it")
	l.enter(1)
	l.wait(time.Second / 10)
	wantCount(t, sends[*wire.NewView](l.from(2, &wire.Status{View: 1, Helper: 1})), 0, "new views from who was not asked")
	l.wait(time.Second / 10)
	wantCount(t, sends[*wire.NewView](l.from(2, &wire.Status{View: 1, Helper: 3})), 1, "new views to who waits for it")
	l.wait(time.Second / 10)
	wantCount(t, sends[*wire.NewView](l.from(2, &wire.Status{View: 1, Active: true})), 0, "new views to who is in it")
}

// E1: two view changes of one replica for one view are proof of misbehaviour.
func TestV2_TwoViewChangesForOneViewConvict(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(2, l.viewChange(4, 2, wire.StableCert{}))
	accused := all[port.Accuse](l.from(2, l.viewChange(4, 2, l.stableCert(4))))
	wantCount(t, accused, 1, "accusations")
	if err := accused[0].Evidence.Verify(&l.cfg, wireHolds); err != nil {
		t.Fatal(err)
	}
}
