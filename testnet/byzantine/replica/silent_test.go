package replica

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

func TestSilent_BackupIsMaskedWithoutAViewChange(t *testing.T) {
	tr := begin(t, 3, "silent")
	ids := tr.load(9, 200*time.Millisecond)
	if sent, _ := tr.from(0); sent != 0 || len(tr.nodes[3].replies) != 0 {
		t.Errorf("it sent %d messages and %d replies", sent, len(tr.nodes[3].replies))
	}
	if tr.nodes[3].replica.Inspect().Executed == 0 {
		t.Error("it does not follow: it is deaf, not mute")
	}
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
}

func TestSilent_PrimaryIsReplacedOnce(t *testing.T) {
	tr := begin(t, 0, "silent,from_seq=3")
	ids := tr.load(2, 50*time.Millisecond)
	if sent, _ := tr.from(wire.TypePrePrepare); sent == 0 {
		t.Fatal("it was silent before its time")
	}
	before, _ := tr.from(0)
	ids = append(ids, tr.load(2, 2*time.Second)...)
	// Messages that the liar sends just after the last honest batch still belong to that batch. 50 ms later it sends
	// nothing more.
	if after, _ := tr.from(0); after != before {
		t.Errorf("it sent %d messages more", after-before)
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestSilent_ByTypeAndDestination(t *testing.T) {
	tr := begin(t, 2, "silent,types=prepare+reply,to=1+clients")
	ids := tr.load(5, 100*time.Millisecond)
	for _, p := range tr.sent {
		if p.from == 2 && p.to == 1 && wire.TypeOf(p.msg) == wire.TypePrepare {
			t.Fatal("replica 1 was sent a prepare")
		}
	}
	if sent, _ := tr.from(wire.TypePrepare); sent == 0 {
		t.Error("the others were sent no prepare either")
	}
	if sent, _ := tr.from(wire.TypeCommit); sent == 0 {
		t.Error("it sent no commit")
	}
	if len(tr.nodes[2].replies) != 0 {
		t.Error("it replied")
	}
	tr.mustMask(ids...)
	tr.mustEnter()
}

func TestSilent_ByChanceKeepsSomeBackAndTheSameAgain(t *testing.T) {
	count := func() int {
		tr := begin(t, 1, "silent,probability=0.5,seed=7")
		ids := tr.load(9, 100*time.Millisecond)
		tr.mustMask(ids...)
		tr.mustEnter()
		sent, _ := tr.from(wire.TypePrepare)
		return sent
	}
	first := count()
	if first == 0 || first >= 9*3 {
		t.Errorf("%d prepares were sent: all, or none", first)
	}
	if second := count(); second != first {
		t.Errorf("%d prepares, and then %d", first, second)
	}
}
