package replica

import (
	"bytes"
	"testing"
	"time"

	"tagma/pbft/wire"
)

func TestCorrupt_BadSignaturesOfABackupAreAllRefused(t *testing.T) {
	tr := begin(t, 2, "corrupt")
	ids := tr.load(9, 100*time.Millisecond)
	for _, kind := range []wire.Type{wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint, wire.TypeRequest} {
		if sent, refused := tr.from(kind); sent == 0 || refused != sent {
			t.Errorf("S2: of %d %ss %d were refused", sent, kind, refused)
		}
	}
	tr.mustMask(ids...)
	tr.mustEnter()
}

func TestCorrupt_BadSignaturesOfAPrimaryCostOneView(t *testing.T) {
	tr := begin(t, 0, "corrupt,from_seq=3")
	ids := tr.load(2, 50*time.Millisecond)
	if _, refused := tr.from(0); refused != 0 {
		t.Fatal("it was corrupt before its time")
	}
	ids = append(ids, tr.load(2, 2*time.Second)...)
	if sent, refused := tr.from(wire.TypePrePrepare); refused == 0 || refused == sent {
		t.Errorf("of %d pre-prepares %d were refused", sent, refused)
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestCorrupt_DigestsOfNothingAreMasked(t *testing.T) {
	tr := begin(t, 2, "corrupt,what=digest")
	ids := tr.load(9, 100*time.Millisecond)
	lied := map[wire.Type]int{}
	for _, p := range tr.sent {
		m, ok := p.msg.(*wire.Commit)
		if ok && p.from == 2 && m.Digest != tr.nodes[0].executed[m.Seq] {
			lied[wire.TypeCommit]++
		}
	}
	if lied[wire.TypeCommit] == 0 {
		t.Error("it voted for nothing but what was ordered")
	}
	if len(tr.bad) != 0 {
		t.Errorf("%d messages were refused: a vote for a digest of nothing is well formed", len(tr.bad))
	}
	tr.mustMask(ids...)
	tr.mustEnter()
	for i, m := range tr.nodes {
		if i != 2 && m.replica.Inspect().Stable == 0 {
			t.Errorf("replica %d has no stable checkpoint", i)
		}
	}
}

func TestCorrupt_ProposalsThatDoNotFitTheirBodyCostOneView(t *testing.T) {
	tr := begin(t, 0, "corrupt,what=digest")
	ids := tr.load(2, 2*time.Second)
	if sent, refused := tr.from(wire.TypePrePrepare); sent == 0 || refused != sent {
		t.Errorf("of %d pre-prepares %d were refused", sent, refused)
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestCorrupt_LyingRepliesStandAlone(t *testing.T) {
	tr := begin(t, 1, "corrupt,what=reply")
	ids := tr.load(5, 100*time.Millisecond)
	for _, id := range ids {
		lie, truth := tr.nodes[1].replies[id], tr.nodes[0].replies[id]
		if lie == nil || truth == nil || bytes.Equal(lie.Results[0], truth.Results[0]) || lie.View == truth.View {
			t.Errorf("request %d: the liar said %+v", id.T, lie)
		}
	}
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
}
