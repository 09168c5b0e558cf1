package replica

import (
	"reflect"
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

func TestSendOmission_IsWhatSilentNames(t *testing.T) {
	if !reflect.DeepEqual(silent.Parameters, sendOmission.Parameters) || silent.Model != tamper.Omission {
		t.Error("silent and send-omission have come apart")
	}
	tr := begin(t, 3, "send-omission,types=commit")
	ids := tr.load(5, 100*time.Millisecond)
	if commits, _ := tr.from(wire.TypeCommit); commits != 0 {
		t.Errorf("it sent %d commits", commits)
	}
	if prepares, _ := tr.from(wire.TypePrepare); prepares == 0 {
		t.Error("it sent no prepares either")
	}
	tr.mustMask(ids...)
	tr.mustEnter()
}

func TestV7_ADeafBackupSuspectsAloneForEver(t *testing.T) {
	tr := begin(t, 3, "receive-omission")
	ids := tr.load(9, time.Second)
	if suspects, _ := tr.from(wire.TypeSuspect); suspects == 0 {
		t.Error("it heard its primary: it is not deaf")
	}
	if tr.nodes[3].replica.Inspect().Executed != 0 {
		t.Error("it followed")
	}
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
}

func TestReceiveOmission_APrimaryThatHearsNothingIsReplacedWithin3T(t *testing.T) {
	tr := begin(t, 0, "receive-omission")
	ids := tr.load(1, 3*time.Second)
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestReceiveOmission_ByTypeAndSource(t *testing.T) {
	tr := begin(t, 2, "receive-omission,types=commit,peers=0+1")
	ids := tr.load(9, 300*time.Millisecond)
	tr.mustMask(ids...)
	tr.mustEnter()
	in := tr.nodes[2].replica.Inspect()
	if in.View != 0 || in.Executed == 0 {
		t.Errorf("it does not follow by certificates (N7): %+v", in)
	}
}

func TestCrash_APrimaryThatDiesIsReplacedWithin3T(t *testing.T) {
	tr := begin(t, 0, "crash,from_seq=3")
	ids := tr.load(2, 50*time.Millisecond)
	tr.mustMask(ids...)
	before, _ := tr.from(0)
	ids = append(ids, tr.load(1, 3*time.Second)...)
	if after, _ := tr.from(0); after != before {
		t.Errorf("the dead sent %d messages", after-before)
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

// When its time is over, an attacker is honest. Its core is the same all the time, so it then follows and votes again.
func TestBetween_AnAttackerIsHonestOutsideItsTime(t *testing.T) {
	tr := begin(t, 3, "crash", Options{When: Between(500*time.Millisecond, 1500*time.Millisecond)})
	ids := tr.load(4, 100*time.Millisecond)
	if sent, _ := tr.from(wire.TypeCommit); sent == 0 {
		t.Fatal("it was dead before its time")
	}
	tr.pass(100 * time.Millisecond)
	before, _ := tr.from(0)
	ids = append(ids, tr.load(4, 200*time.Millisecond)...)
	if after, _ := tr.from(0); after != before {
		t.Fatalf("the dead sent %d messages", after-before)
	}
	tr.pass(time.Second)
	ids = append(ids, tr.load(4, 200*time.Millisecond)...)
	tr.mustMask(ids...)
	tr.mustEnter()
	if tr.nodes[3].root != tr.nodes[0].root {
		t.Error("it did not catch up")
	}
}
