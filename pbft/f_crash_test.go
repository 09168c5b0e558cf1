package pbft

import (
	"testing"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The crash-fault mode (F1–F7): viewstamped replication with the same core.

func crashing(cfg *wire.Config) { cfg.Crash = true }

// F1: no replica lies, so it is enough that any two quorums share one replica, and every message of a replica can be
// believed.
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

// F2: a backup sends its commit in the same turn in which it accepts the pre-prepare, so that one sync makes both
// durable. No replica sends prepares. In a cluster of three, a backup executes with its own commit and the primary's.
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

// F2: in this mode, the signature under the pre-prepare is the whole prepared certificate. In the other mode it is not
// enough.
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

// F2, V3: a new view chooses the batch that one live replica accepted in the highest view, even if no other replica has
// voted for it.
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

// F4: a replica that was cut off for a long time does not suspect the primary for that, neither while it is cut off nor
// when it returns. It suspects the primary if it hears a quorum but not the primary.
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

// F6: in a cluster that masks only crashes, a lying primary makes correct replicas execute different batches. Its two
// signatures nevertheless come together: a replica that receives a commit for another digest answers with its own
// pre-prepare, even if the slot was executed already.
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

// F7: a replica that lost its disk must hear from Q others. An ordinary start needs answers of a quorum that includes
// the replica itself.
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

// F1, F2, F3: three replicas continue to order while one of them is dead, also if it was the primary.
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
