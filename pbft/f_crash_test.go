package pbft

import (
	"testing"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The crash-fault mode (F1–F7): viewstamped replication from the same core.

func crashing(cfg *wire.Config) { cfg.Crash = true }

// F1: nobody lies, so any two quorums need to share one replica only, and every message of one replica is believed.
func TestF1_QuorumsOfAClusterThatOnlyCrashes(t *testing.T) {
	for n, quorum := range map[int]int{3: 2, 4: 3, 5: 3, 6: 4, 7: 4} {
		cfg := clusterConfig(n)
		cfg.Crash = true
		if err := cfg.Validate(); err != nil {
			t.Errorf("n = %d: %v", n, err)
		}
		if cfg.F() != 0 || cfg.Quorum() != quorum || cfg.Weak() != 1 || cfg.Remaining() != quorum {
			t.Errorf("n = %d: f %d, quorum %d, weak %d, remaining %d", n, cfg.F(), cfg.Quorum(), cfg.Weak(), cfg.Remaining())
		}
	}
	cfg := clusterConfig(3)
	if cfg.Validate() == nil {
		t.Error("three replicas that may lie are a cluster")
	}
	cfg.Crash, cfg.Optimistic = true, true
	if cfg.Validate() == nil {
		t.Error("votes that a crash forgets are allowed where crashes are masked alone")
	}
}

// F2: a backup commits as soon as it has accepted the pre-prepare, in one turn, so that one sync makes all of it durable. No
// replica prepares. With its own commit and the primary's, two of three execute.
func TestF2_ABackupCommitsWhatItAccepts(t *testing.T) {
	l := newLab(t, 3, 1, crashing)
	b := l.batch(1, "a")
	effects := l.propose(0, 1, b)
	wantCount(t, broadcasts[*wire.Prepare](effects), 0, "prepares")
	wantCount(t, broadcasts[*wire.Commit](effects), 1, "commits")
	var kinds []wire.Record
	for _, e := range all[port.Persist](effects) {
		kinds = append(kinds, e.Record)
	}
	if _, accepted := kinds[0].(*wire.Accepted); len(kinds) != 2 || !accepted || len(kinds[1].(*wire.Prepared).Cert.Prepares) != 0 {
		t.Fatalf("records %v", kinds)
	}
	wantCount(t, all[port.Execute](effects), 0, "executions without a quorum")
	wantCount(t, all[port.Execute](l.from(0, l.commit(0, 1, b.Digest(), 0))), 1, "executions")
}

// F2: a prepared certificate is the signature under the pre-prepare and nothing else, in this mode alone.
func TestF2_APreparedCertificateIsThePrePrepare(t *testing.T) {
	byzantine, crash := newWireCluster(4), newWireCluster(4)
	crash.cfg.Crash = true
	for _, c := range []struct {
		of, judged *wireCluster
		good       bool
	}{{byzantine, byzantine, true}, {crash, crash, true}, {crash, byzantine, false}, {byzantine, crash, false}} {
		m := c.judged.viewChange(1, 2, wire.StableCert{}, c.of.preparedCert(0, 1, wire.NullBody))
		if err := wire.Check(&c.judged.cfg, m); (err == nil) != c.good {
			t.Errorf("crash %t, judged as crash %t: %v", c.of.cfg.Crash, c.judged.cfg.Crash, err)
		}
	}
}

// F2, V3: what one live replica accepted in the highest view is chosen, although nobody else has voted for it.
func TestF2_TheNextViewChoosesWhatOneReplicaAccepted(t *testing.T) {
	l := newLab(t, 3, 1, crashing)
	b := l.batch(1, "a")
	vcs := []*wire.ViewChange{l.viewChange(1, 1, wire.StableCert{}), l.viewChange(1, 2, wire.StableCert{}, l.preparedCert(0, 1, b))}
	if chosen := l.newViewFrom(1, vcs...).Proposals; len(chosen) != 1 || chosen[0].Digest != b.Digest() {
		t.Fatalf("%v", chosen)
	}
}

// F3: one replica that suspects the primary justifies the next view.
func TestF3_OneSuspectJustifiesAView(t *testing.T) {
	l := newLab(t, 3, 2, crashing)
	wantCount(t, broadcasts[*wire.ViewChange](l.from(1, l.suspect(0, 1))), 1, "view changes")
	if l.r.view != 1 || l.r.active {
		t.Fatalf("view %d, active %t", l.r.view, l.r.active)
	}
}

// F4: a replica that heard nobody for long does not blame the primary for that, neither while it is cut off nor when it
// returns. It does if it hears a quorum and the primary is silent.
func TestF4_WhoeverWasCutOffBlamesNobody(t *testing.T) {
	l := newLab(t, 3, 2, crashing)
	hears := func(by wire.ReplicaID) { l.from(by, &wire.Status{View: 0, Active: true, Helper: 2}) }
	for range 40 {
		wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout/4)), 0, "suspects of a replica that is cut off")
	}
	for range 3 {
		hears(1)
		wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout/4)), 0, "suspects of a replica that is just back")
	}
	suspected := 0
	for range 3 {
		hears(1)
		suspected += len(broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout / 4)))
	}
	if suspected == 0 {
		t.Fatal("a silent primary is not suspected by those who hear each other")
	}
}

// F6: a lying primary forks a cluster that masks crashes alone, and its two signatures come together all the same: a commit
// that names another digest is answered with the own pre-prepare, also when the slot is executed already.
func TestF6_ACommitForAnotherDigestShowsThePrePrepare(t *testing.T) {
	l := newLab(t, 3, 1, crashing)
	a, b := l.batch(1, "a"), l.batch(1, "b")
	l.propose(0, 1, a)
	wantCount(t, all[port.Execute](l.from(0, l.commit(0, 1, a.Digest(), 0))), 1, "executions")
	shown := sends[*wire.PrePrepare](l.from(2, l.commit(0, 1, b.Digest(), 2)))
	if len(shown) != 1 || shown[0].Digest != a.Digest() || shown[0].Body != nil {
		t.Fatalf("shown %v", shown)
	}
	wantCount(t, sends[*wire.PrePrepare](l.from(2, l.commit(0, 1, b.Digest(), 2))), 0, "pre-prepares shown again")

	other := newLab(t, 3, 2, crashing)
	other.propose(0, 1, b)
	other.from(0, other.commit(0, 1, b.Digest(), 0))
	proofs := all[port.Accuse](other.from(1, shown[0]))
	if len(proofs) != 1 || proofs[0].Evidence.Replica != 0 {
		t.Fatalf("proofs %v", proofs)
	}
}

// F7: a replica whose disk is gone must hear from Q others, and an ordinary start needs a quorum with itself.
func TestF7_ALostDiskNeedsAQuorumOfOthers(t *testing.T) {
	cfg := clusterConfig(5)
	cfg.Crash = true
	inquiry := amnesia.NewInquiry(&cfg, 1, false)
	inquiry.Answered(1, true)
	if !inquiry.Asking {
		t.Error("one answer of five suffices for a start")
	}
	if inquiry.Answered(2, true); inquiry.Asking {
		t.Error("with itself and two others a replica goes on asking")
	}
	l := newLab(t, 5, 0, crashing)
	lost := amnesia.New(&l.cfg, 1)
	for id := wire.ReplicaID(1); id <= 3; id++ {
		if _, known := lost.Recovery(); known {
			t.Fatalf("%d answers suffice after a loss", id-1)
		}
		answer := &wire.HeldBy{Nonce: 1, Of: 0, Whole: true}
		lost.Step(port.Received{From: port.Source{Replica: id}, Msg: wire.Own(answer)})
	}
	if _, known := lost.Recovery(); !known {
		t.Error("three answers of five do not suffice after a loss")
	}
}

// F1, F2, F3: three replicas order while one of them is dead, and through the death of the primary.
func TestF1_ThreeReplicasMaskOneCrash(t *testing.T) {
	c := begin(t, 3, crashing)
	for i, primary := range []wire.ReplicaID{0, 1} {
		r := c.request(0, uint64(i)+1, "a")
		c.submit(r, 0, 1, 2)
		c.until(10*c.nodes[1].cfg.ViewTimeout, "two replies", func() bool { return len(c.replies[r.ID]) >= 2 })
		c.nodes[0].up = false
		if at := c.nodes[1].replica.Position(); c.nodes[1].cfg.Primary(at.View) != primary {
			t.Errorf("request %d was answered in view %d", i+1, at.View)
		}
	}
}
