package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// §4.3, K1: every K sequence numbers a replica announces the digest of its state, once that state is durable.
func TestPaper43_K1_ACheckpointEveryKSequenceNumbers(t *testing.T) {
	l := newLab(t, 4, 3)
	for s := wire.Seq(1); s <= 8; s++ {
		effects := l.commitAll(0, s, l.batch(uint64(s), "a"))
		want := 0
		if s%4 == 0 {
			want = 1
		}
		wantCount(t, all[port.Snapshot](effects), want, "snapshots")
		cp := broadcasts[*wire.Checkpoint](effects)
		wantCount(t, cp, want, "checkpoints")
		if want == 1 && (cp[0].Seq != s || cp[0].Digest != stateAfter(s)) {
			t.Fatalf("checkpoint %+v", cp[0])
		}
	}
}

// §4.3, K1: a checkpoint is stable when Q distinct replicas have sent equal messages for it. Then the low watermark
// moves.
func TestPaper43_K1_StableNeedsAQuorum(t *testing.T) {
	l := newLab(t, 4, 3)
	d := stateAfter(4)
	l.from(0, l.checkpoint(4, d, 0))
	l.from(0, l.checkpoint(4, d, 0))
	l.from(1, l.checkpoint(4, wire.Digest{9}, 1))
	l.from(2, l.checkpoint(8, d, 2))
	if l.r.log.Low != 0 {
		t.Fatalf("h = %d", l.r.log.Low)
	}
	for s := wire.Seq(1); s <= 4; s++ {
		l.commitAll(0, s, l.batch(uint64(s), "a"))
	}
	effects := l.from(2, l.checkpoint(4, d, 2)) // with its own vote there are Q = 3
	if l.r.log.Low != 4 || l.r.log.High() != 12 {
		t.Fatalf("h = %d, H = %d", l.r.log.Low, l.r.log.High())
	}
	cert := all[port.Note](effects)[0].Record.(*wire.Stable).Cert
	if err := wire.Check(&l.cfg, &wire.StableNotice{Cert: cert}); err != nil || cert.Seq != 4 {
		t.Fatalf("certificate for %d: %v", cert.Seq, err)
	}
}

// §4.3: when a checkpoint is stable, no message for a sequence number at or below it takes part in ordering any more.
func TestPaper43_NothingIsOrderedBelowTheLowWatermark(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(0, &wire.StableNotice{Cert: l.stableCert(4)})
	wantDrop(t, l.propose(0, 4, l.batch(1, "a")), port.ReasonBelowWindow)
	wantDrop(t, l.from(1, l.prepare(0, 4, wire.Digest{1}, 1)), port.ReasonBelowWindow)
	wantDrop(t, l.from(1, l.checkpoint(4, wire.Digest{1}, 1)), port.ReasonBelowWindow)
}

// K1: a certificate is enough to move h, so that the replica votes above it. But nothing is deleted until the replica's
// own state is durable.
func TestK1_DeletionWaitsForTheOwnState(t *testing.T) {
	l := newLab(t, 4, 3)
	wantCount(t, all[port.Truncate](l.from(0, &wire.StableNotice{Cert: l.stableCert(24)})), 0, "truncations before the own state")
	if l.r.log.Low != 24 {
		t.Fatalf("h = %d", l.r.log.Low)
	}
	cut := all[port.Truncate](l.step(port.Snapshotted{Seq: 24, Digest: stateAfter(24)}))
	wantCount(t, cut, 1, "truncations")
	// Journal records are kept for 3L below the checkpoint (N3), and the checkpoint before this one is the initial
	// state.
	if cut[0].Below != 0 || cut[0].Discard != 0 {
		t.Fatalf("truncates %+v", cut[0])
	}
}

// K4: a replica may delete the states before the previous stable checkpoint, but not the state of that checkpoint or a
// later one.
func TestK4_ThePreviousCheckpointIsKept(t *testing.T) {
	l := newLab(t, 4, 3)
	var last port.Truncate
	for s := wire.Seq(4); s <= 12; s += 4 {
		l.step(port.Snapshotted{Seq: s, Digest: stateAfter(s)})
		if cut := all[port.Truncate](l.from(0, &wire.StableNotice{Cert: l.stableCert(s)})); len(cut) > 0 {
			last = cut[0]
		}
	}
	if last.Discard != 8 {
		t.Fatalf("discards states below %d at checkpoint 12", last.Discard)
	}
}

// K2: if a replica's state contradicts a stable checkpoint, the replica reports this and stops replying.
func TestK2_ADivergedReplicaStopsReplying(t *testing.T) {
	l := newLab(t, 4, 3)
	l.step(port.Snapshotted{Seq: 4, Digest: wire.Digest{0xbd}})
	d := all[port.Diverged](l.from(0, &wire.StableNotice{Cert: l.stableCert(4)}))
	wantCount(t, d, 1, "reports")
	if d[0].Cert.Seq != 4 || d[0].Own != (wire.Digest{0xbd}) || d[0].Cert.Digest != stateAfter(4) {
		t.Fatalf("report %+v", d[0])
	}
	l.r.handed, l.r.executed = 4, 4
	wantCount(t, all[port.Respond](l.commitAll(0, 5, l.batch(1, "a"))), 0, "replies")
}

// K3: a start ignores records at or below h: they count neither as votes nor for P.
func TestK3_RecordsBelowTheLowWatermarkAreIgnored(t *testing.T) {
	l := newLab(t, 4, 3)
	l.log = []wire.Record{
		&wire.Stable{Cert: l.stableCert(4)},
		&wire.Accepted{PrePrepare: l.prePrepare(0, 3, l.batch(1, "a"))},
		&wire.Prepared{Cert: l.preparedCert(0, 3, wire.NullBody)},
	}
	l.restart()
	wantCount(t, broadcasts[*wire.ViewChange](l.suspected(1))[0].Prepared, 0, "certificates in P")
}

// A replica whose stable checkpoint is older is sent the newest certificate, which is proof by itself.
func TestK1_AStableCertificateIsShownToWhoIsBehind(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(0, &wire.StableNotice{Cert: l.stableCert(8)})
	notices := sends[*wire.StableNotice](l.from(1, &wire.Status{Active: true, Stable: 4, Helper: 2}))
	wantCount(t, notices, 1, "notices")
	wantCount(t, sends[*wire.StableNotice](l.from(2, &wire.Status{Active: true, Stable: 8, Helper: 2})), 0, "notices to who has it")
	wantDrop(t, l.from(0, notices[0]), port.ReasonBelowWindow)
}

// statesIn lists which replicas announced which digest.
func statesIn(s port.Split) map[wire.Digest][]wire.ReplicaID {
	by := map[wire.Digest][]wire.ReplicaID{}
	for _, v := range s.Votes {
		by[v.Digest] = append(by[v.Digest], v.Replica)
	}
	return by
}

// K1: when no digest of a checkpoint can reach Q any more, the checkpoint is reported with all digests. This happens at
// the first vote that makes it impossible, and not before.
func TestK1_ACheckpointThatCanNeverBeStableIsReported(t *testing.T) {
	l := newLab(t, 4, 3)
	wantCount(t, all[port.Split](l.from(0, l.checkpoint(8, wire.Digest{1}, 0))), 0, "reports after one vote")
	wantCount(t, all[port.Split](l.from(1, l.checkpoint(8, wire.Digest{2}, 1))), 0, "reports while two more could agree with one of them")
	split := all[port.Split](l.from(2, l.checkpoint(8, wire.Digest{3}, 2)))
	wantCount(t, split, 1, "reports of three digests of four")
	if s := split[0]; s.Seq != 8 || len(statesIn(s)) != 3 || statesIn(s)[wire.Digest{2}][0] != 1 {
		t.Fatalf("report %+v", s)
	}
	if in := l.r.Inspect(); in.Split != 8 {
		t.Fatalf("inspection names checkpoint %d", in.Split)
	}
	wantCount(t, all[port.Split](l.from(2, l.checkpoint(8, wire.Digest{3}, 2))), 0, "reports of a vote that is known")

	l.from(0, l.checkpoint(4, wire.Digest{1}, 0))
	l.from(1, l.checkpoint(4, wire.Digest{2}, 1))
	l.from(2, l.checkpoint(4, wire.Digest{3}, 2))
	if in := l.r.Inspect(); in.Split != 4 {
		t.Fatalf("the first of two is at 4, and %d is named", in.Split)
	}
	l.from(0, &wire.StableNotice{Cert: l.stableCert(12)})
	if in := l.r.Inspect(); in.Split != 0 {
		t.Fatalf("checkpoint %d is named, and h is 12", in.Split)
	}
}

// K1: one liar alone causes no split, whatever it sends, because the n−f correct replicas are a quorum.
func TestK1_ALiarAloneSplitsNoCheckpoint(t *testing.T) {
	for _, n := range []int{4, 5, 6, 7, 10} {
		l := newLab(t, n, wire.ReplicaID(n-1))
		var effects []port.Effect
		for id := range wire.ReplicaID(n - 1) {
			d := stateAfter(4)
			if int(id) < l.cfg.F() {
				d = wire.Digest{byte(id)}
			}
			effects = append(effects, l.from(id, l.checkpoint(4, d, id))...)
		}
		effects = append(effects, l.step(port.Snapshotted{Seq: 4, Digest: stateAfter(4)})...)
		wantCount(t, all[port.Split](effects), 0, "reports")
		if l.r.log.Low != 4 {
			t.Errorf("n = %d: h = %d", n, l.r.log.Low)
		}
	}
}

// K1: one replica with a damaged state and one lying replica together stop the cluster for good. Every correct replica
// reports this, and reports it again after all have restarted.
func TestK1_ASplitIsReportedAgainAfterARestart(t *testing.T) {
	c := begin(t, 4)
	damaged, liar := c.nodes[2], c.nodes[3]
	liar.faulty = true
	liar.lie = func(_ wire.ReplicaID, m wire.Message) []wire.Message {
		switch m := m.(type) {
		case *wire.Checkpoint:
			return []wire.Message{c.sign(3, &wire.Checkpoint{Seq: m.Seq, Digest: wire.Digest{0xbd}, Replica: 3})}
		case *wire.StableNotice: // the notice would contain the liar's true vote
			return nil
		}
		return []wire.Message{m}
	}
	c.order(1)
	damaged.state.root[0] ^= 1
	c.order(12)
	reported := func(what string) {
		t.Helper()
		c.tick(time.Second)
		for _, n := range c.correct() {
			in := n.replica.Inspect()
			if in.Split == 0 || in.Split <= in.Stable || in.Executed != 8 || len(n.splits) == 0 {
				t.Errorf("%s: replica %d names checkpoint %d of %d executed, in %d reports", what, n.id, in.Split, in.Executed, len(n.splits))
				continue
			}
			last := n.splits[len(n.splits)-1]
			if by := statesIn(last); len(last.Votes) != 4 || len(by) != 3 || len(by[c.nodes[0].saved[last.Seq].root]) != 2 {
				t.Errorf("%s: replica %d reports %+v", what, n.id, last)
			}
			n.splits = nil
		}
	}
	reported("at first")
	for _, n := range c.nodes {
		n.crash()
	}
	for _, n := range c.nodes {
		n.start()
	}
	reported("after a restart")
}

// E1: two digests of one replica for one checkpoint are proof of misbehaviour. Only the first of them counts as a vote.
func TestPaper43_ALyingCheckpointConvicts(t *testing.T) {
	l := newLab(t, 4, 3)
	l.from(1, l.checkpoint(4, wire.Digest{1}, 1))
	accused := all[port.Accuse](l.from(1, l.checkpoint(4, wire.Digest{2}, 1)))
	wantCount(t, accused, 1, "accusations")
	if err := accused[0].Evidence.Verify(&l.cfg, wireHolds); err != nil {
		t.Fatal(err)
	}
}
