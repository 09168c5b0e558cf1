package replica

import (
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// latest returns the longest time between the first message of a type for a sequence number and the liar's own message
// for it.
func (tr *trial) latest(kind wire.Type) (late time.Duration) {
	first := map[wire.Seq]time.Duration{}
	for _, p := range tr.sent {
		if wire.TypeOf(p.msg) != kind {
			continue
		}
		seq := tamper.SeqOf(p.msg)
		if _, known := first[seq]; !known {
			first[seq] = p.at
		}
		if int(p.from) == tr.liar {
			late = max(late, p.at-first[seq])
		}
	}
	return late
}

func TestSlow_BackupIsNotWaitedFor(t *testing.T) {
	tr := begin(t, 3, "slow,delay=500ms")
	ids := tr.load(5, 100*time.Millisecond)
	tr.mustMask(ids...)
	tr.pass(time.Second)
	if late := tr.latest(wire.TypePrepare); late < 450*time.Millisecond {
		t.Errorf("its prepares came %v late", late)
	}
	tr.mustEnter()
}

func TestSlow_PrimaryJustFastEnoughIsKept(t *testing.T) {
	tr := begin(t, 0, "slow,types=pre-prepare,delay=0.9T")
	id := tr.submit(1)
	tr.pass(800 * time.Millisecond)
	if tr.nodes[1].done[id] {
		t.Fatal("it was not slow")
	}
	tr.pass(300 * time.Millisecond)
	tr.mustMask(id)
	tr.mustEnter()
}

func TestSlow_PrimaryBeyondTheTimeoutIsReplaced(t *testing.T) {
	tr := begin(t, 0, "slow,types=pre-prepare,delay=2T")
	ids := tr.load(1, 3*time.Second)
	if sent, _ := tr.from(wire.TypePrePrepare); sent == 0 {
		t.Error("it never said what it held back")
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestSlow_RepliesComeLateToo(t *testing.T) {
	tr := begin(t, 2, "slow,types=reply,delay=300ms")
	id := tr.submit(1)
	tr.pass(200 * time.Millisecond)
	if tr.nodes[2].replies[id] != nil || tr.nodes[1].replies[id] == nil {
		t.Error("its reply was not held back")
	}
	tr.pass(200 * time.Millisecond)
	if tr.nodes[2].replies[id] == nil {
		t.Error("its reply never came")
	}
}
