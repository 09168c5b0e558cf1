package replica

import (
	"math"
	"testing"
	"time"

	"tagma/pbft/wire"
)

// proposed lists the pre-prepares that the liar sent to replica 2 in a view, one for each sequence number.
func (tr *trial) proposed(view wire.View) map[wire.Seq]*wire.PrePrepare {
	out := map[wire.Seq]*wire.PrePrepare{}
	for _, p := range tr.sent {
		if m, ok := p.msg.(*wire.PrePrepare); ok && int(p.from) == tr.liar && p.to == 2 && m.View == view && out[m.Seq] == nil {
			out[m.Seq] = m
		}
	}
	return out
}

func TestN4_AGapIsFilledWithANullAfterOneViewChange(t *testing.T) {
	tr := begin(t, 0, "sequence-abuse,from_seq=3")
	ids := tr.load(5, 100*time.Millisecond)
	if got := tr.proposed(0); got[3] != nil || got[4] == nil {
		t.Fatalf("there is no gap: %v", got)
	}
	tr.pass(2 * time.Second)
	tr.mustMask(ids...)
	tr.mustEnter(1)
	if tr.nodes[1].executed[3] != wire.NullDigest {
		t.Error("the gap is not null")
	}
}

// N4: nulls count towards checkpoints as well. Otherwise the window would never move again.
func TestN4_AGapUpToHIsFilledAndTheWindowMoves(t *testing.T) {
	tr := begin(t, 0, "sequence-abuse,how=high")
	ids := tr.load(1, 100*time.Millisecond)
	if got := tr.proposed(0); len(got) != 1 || got[8] == nil {
		t.Fatalf("it did not jump to H: %v", got)
	}
	tr.pass(2 * time.Second)
	ids = append(ids, tr.load(3, 100*time.Millisecond)...)
	tr.mustMask(ids...)
	tr.mustEnter(1)
	for seq := wire.Seq(1); seq < 8; seq++ {
		if tr.nodes[1].executed[seq] != wire.NullDigest {
			t.Errorf("%d is not null", seq)
		}
	}
	if in := tr.nodes[1].replica.Inspect(); in.Stable != 8 {
		t.Errorf("h is %d, not 8", in.Stable)
	}
}

func TestN1_ProposalsBeyondTheWindowAreNotTakenUp(t *testing.T) {
	for how, seq := range map[string]wire.Seq{"above": 9, "max": math.MaxUint64} {
		t.Run(how, func(t *testing.T) {
			tr := begin(t, 0, "sequence-abuse,how="+how)
			ids := tr.load(1, 2500*time.Millisecond)
			sent, refused := tr.from(wire.TypePrePrepare)
			if tr.proposed(0)[seq] == nil || sent == 0 {
				t.Fatalf("it proposed %v", tr.proposed(0))
			}
			if how == "max" && refused == 0 {
				t.Error("nobody refused it")
			}
			tr.mustMask(ids...)
			tr.mustEnter(1)
			if tr.nodes[1].replica.Inspect().Executed >= 9 {
				t.Error("somebody executed it there")
			}
		})
	}
}

func TestC2_ARequestThatIsOrderedTwiceRunsOnce(t *testing.T) {
	tr := begin(t, 0, "sequence-abuse,how=twice")
	ids := tr.load(12, 100*time.Millisecond)
	got := tr.proposed(0)
	if a, b := got[3].Body.Requests, got[4].Body.Requests; len(b) != 2 || b[0].Digest() != a[len(a)-1].Digest() {
		t.Fatal("no request was ordered twice")
	}
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
	tr.mustConvict()
	if tr.nodes[1].again != 11 {
		t.Errorf("%d requests came a second time, not 11", tr.nodes[1].again)
	}
}

func TestC1_OldRequestsAreOrderedAgainAndRunOnce(t *testing.T) {
	tr := begin(t, 0, "replayed-requests,per_batch=3")
	ids := tr.load(12, 100*time.Millisecond)
	if got := tr.proposed(0)[12]; got == nil || len(got.Body.Requests) != 4 {
		t.Fatalf("its last batch is %+v", got)
	}
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
	if tr.nodes[1].again < 25 {
		t.Errorf("only %d requests came again", tr.nodes[1].again)
	}
}

func TestS2_ARequestThatItsClientNeverSignedIsNotProposedForLong(t *testing.T) {
	tr := begin(t, 0, "sequence-abuse,how=invented,from_seq=3")
	ids := tr.load(5, 100*time.Millisecond)
	if got := tr.proposed(0)[3]; got == nil || got.Body.Requests[0].ID.T == 3 {
		t.Fatalf("it invented nothing: %+v", got)
	}
	if sent, refused := tr.from(wire.TypePrePrepare); sent == 0 || refused == 0 {
		t.Errorf("%d proposals were sent, %d refused", sent, refused)
	}
	tr.pass(2 * time.Second)
	tr.mustMask(ids...)
	tr.mustEnter(1)
}
