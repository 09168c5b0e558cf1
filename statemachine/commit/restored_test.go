package commit_test

import (
	"math"
	"testing"

	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
)

// TX7: a state that was restored into a new cluster, with another identity, keeps what was promised in it until the
// coordinator's decision comes.
func TestTX7_ARestoredStateKeepsItsPromises(t *testing.T) {
	for _, want := range []string{"committed", "aborted"} {
		w, east, west := banks(t)
		x := w.transfer(east, "alice", west, "bob", 30)
		west.do(alice, commit.Prepare(x))
		if want == "committed" {
			east.expect(commit.Decide(x, []*attest.Certificate{west.receipt(x.ID())}), want)
		}
		w.now = x.Deadline + 1
		east.expect(commit.Decide(x, nil), want)
		west.limits.Cluster = [32]byte{0x77}
		west.restart()
		west.expect(commit.Finish(x.ID(), east.receipt(x.ID())), want)
		w.settled()
	}
}

// TX6: a coordinator records nothing about a transaction whose deadline is so far that the record could never be dropped.
func TestTX6_ADeadlineThatIsTooFarIsNotRecorded(t *testing.T) {
	w, east, west := banks(t)
	x := w.transfer(east, "alice", west, "bob", 1000)
	x.Deadline = math.MaxInt64
	refused := []*attest.Certificate{west.forged(x.ID(), commit.StateRefused, 0, 1)}
	east.expect(commit.Decide(x, refused), commit.TooFar.Error())
	if east.statement(x.ID()) != nil {
		t.Error("there is a record")
	}
}
