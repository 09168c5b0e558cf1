package replica

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// lies returns the digests that the liar sent for one view and sequence number, by receiver.
func (tr *trial) lies(liar wire.ReplicaID, kind wire.Type, view wire.View, seq wire.Seq) map[wire.ReplicaID][]wire.Digest {
	told := map[wire.ReplicaID][]wire.Digest{}
	for _, p := range tr.sent {
		if p.from != liar || wire.TypeOf(p.msg) != kind {
			continue
		}
		switch m := p.msg.(type) {
		case *wire.PrePrepare:
			if m.View == view && m.Seq == seq {
				told[p.to] = append(told[p.to], m.Digest)
			}
		case *wire.Prepare:
			if m.View == view && m.Seq == seq && m.Replica == liar {
				told[p.to] = append(told[p.to], m.Digest)
			}
		case *wire.Commit:
			if m.View == view && m.Seq == seq && m.Replica == liar {
				told[p.to] = append(told[p.to], m.Digest)
			}
		}
	}
	return told
}

// mustDiffer fails the test unless every other replica was sent exactly one digest, and all digests differ.
func mustDiffer(t *testing.T, told map[wire.ReplicaID][]wire.Digest) {
	t.Helper()
	if len(told) != 3 {
		t.Fatalf("%d destinations were told something, not 3: no lie was sent", len(told))
	}
	seen := map[wire.Digest]wire.ReplicaID{}
	for to, digests := range told {
		for _, d := range digests {
			if d != digests[0] {
				t.Errorf("replica %d was told two things", to)
			}
		}
		if other, twice := seen[digests[0]]; twice {
			t.Errorf("replicas %d and %d were told the same", other, to)
		}
		seen[digests[0]] = to
	}
}

// mustVerify fails the test if a message of the liar was refused, because an equivocator's messages have valid
// signatures.
func (tr *trial) mustVerify() {
	tr.t.Helper()
	if len(tr.bad) != 0 {
		tr.t.Errorf("%d messages of the liar were refused", len(tr.bad))
	}
}

func TestEquivocate_PrePrepareIsMaskedByOneViewChangeAndProven(t *testing.T) {
	tr := begin(t, 0, "equivocate")
	first := tr.submit(1)
	// Much less than the view timeout of 1 s, because evidence changes the view without a timer.
	tr.pass(400 * time.Millisecond)
	second := tr.submit(2)
	tr.pass(400 * time.Millisecond)

	mustDiffer(t, tr.lies(0, wire.TypePrePrepare, 0, 1))
	tr.mustVerify()
	tr.mustMask(first, second)
	for i, m := range tr.nodes[1:] {
		if len(m.entered) != 1 || m.entered[0] != 1 {
			t.Errorf("replica %d entered views %v, not just view 1", i+1, m.entered)
		}
		if len(m.accused) == 0 {
			t.Errorf("replica %d has no evidence", i+1)
		}
		for _, e := range m.accused {
			if err := e.Verify(m.cfg, holds); err != nil || e.Replica != 0 {
				t.Errorf("replica %d accuses replica %d: %v", i+1, e.Replica, err)
			}
		}
	}
}

func TestEquivocate_BelowFromSeqIsHonest(t *testing.T) {
	tr := begin(t, 0, "equivocate,from_seq=3")
	for n := range uint64(2) {
		tr.submit(n + 1)
		tr.pass(50 * time.Millisecond)
	}
	tr.mustMask(wire.RequestID{Client: keyOf("client", 0), Session: 1, T: 2})
	if entered := tr.nodes[1].entered; len(entered) != 0 {
		t.Fatalf("a view change before the first lie: %v", entered)
	}
	last := tr.submit(3)
	tr.pass(400 * time.Millisecond)
	mustDiffer(t, tr.lies(0, wire.TypePrePrepare, 0, 3))
	tr.mustMask(last)
}

func TestEquivocate_VotesOfABackupAreMaskedWithoutAViewChange(t *testing.T) {
	for phase, kind := range map[string]wire.Type{"prepare": wire.TypePrepare, "commit": wire.TypeCommit} {
		t.Run(phase, func(t *testing.T) {
			tr := begin(t, 2, "equivocate,phase="+phase)
			var ids []wire.RequestID
			for n := range uint64(9) {
				ids = append(ids, tr.submit(n+1))
				tr.pass(200 * time.Millisecond)
			}
			mustDiffer(t, tr.lies(2, kind, 0, 1))
			tr.mustVerify()
			tr.mustMask(ids...)
			for i, m := range tr.nodes {
				if len(m.entered) != 0 {
					t.Errorf("replica %d changed to views %v", i, m.entered)
				}
			}
		})
	}
}

func TestEquivocate_HonestAgainAsABackup(t *testing.T) {
	tr := begin(t, 0, "equivocate")
	tr.submit(1)
	tr.pass(400 * time.Millisecond)
	seq := tr.nodes[1].replica.Inspect().Executed + 1
	tr.submit(2)
	tr.pass(200 * time.Millisecond)
	told := tr.lies(0, wire.TypePrepare, 1, seq)
	if len(told) != 3 || told[1][0] != told[2][0] || told[2][0] != told[3][0] {
		t.Errorf("in view 1 the former primary told %v", told)
	}
	if tr.nodes[0].root != tr.nodes[1].root {
		t.Error("the former primary did not catch up")
	}
}
