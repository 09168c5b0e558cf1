package client

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tagma/pbft/wire"
)

// answersByDigest makes operations return long results. Replicas send a long result in full if they are the
// designated one or are asked again; the others send its digest.
func (f *fake) answersByDigest() {
	f.execute = func(op []byte, _ bool) []byte { return append(make([]byte, 1000), op...) }
	for i := range f.answer {
		f.answer[i] = f.shortensUnlessAsked(i)
	}
}

func (f *fake) shortensUnlessAsked(i int) func(wire.Reply) []wire.Reply {
	answered := map[wire.RequestID]bool{}
	return func(r wire.Reply) []wire.Reply {
		if wire.WholeReplier(r.Request, 4) != wire.ReplicaID(i) && !answered[r.ID] {
			r.Shorten()
		}
		answered[r.ID] = true
		return []wire.Reply{r}
	}
}

// designated is the replica that must answer the first request, "a", with the whole result.
func (f *fake) designated() int {
	r := &wire.Request{ID: wire.RequestID{Client: f.key.Public(), Session: testSession, T: 1}, AckedBelow: 1, Ops: [][]byte{[]byte("a")}}
	return int(wire.WholeReplier(r.Digest(), 4))
}

// askLong sends an operation with a long result, and checks that the result is right.
func (f *fake) askLong() {
	f.t.Helper()
	if r, err := f.ask("a", time.Minute); err != nil || len(r.Output()) != 1001 || r.Output()[1000] != 'a' {
		f.t.Fatalf("%d bytes, %v", len(r.Output()), err)
	}
}

func TestC5_OneWholeResultAndDigestsSuffice(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answersByDigest()
		for number := uint64(1); number <= 20; number++ {
			f.askLong()
			if sent := f.sendings(number); len(sent) != 1 {
				t.Errorf("request %d was sent %d times", number, len(sent))
			}
		}
	})
}

func TestC5_TheWholeResultMayComeFirstOrLast(t *testing.T) {
	for _, lag := range []time.Duration{0, 4 * time.Millisecond} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.answersByDigest()
			f.lag = slices.Repeat([]time.Duration{2 * time.Millisecond}, 4)
			f.lag[f.designated()] = lag
			f.askLong()
			if sent := f.sendings(1); len(sent) != 1 {
				t.Errorf("sent %d times", len(sent))
			}
		})
	}
}

func TestC5_WithoutTheDesignatedReplicaAllAreAskedAfterAMoment(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answersByDigest()
		f.answer[f.designated()] = silent
		start := time.Now()
		f.askLong()
		if took := time.Since(start); took > 4*oneWay+wholeGrace+time.Millisecond {
			t.Errorf("took %v, want no time-out", took)
		}
		if to := recipients(f.sendings(1)); !slices.Equal(to, []int{0, 0, 1, 2, 3}) {
			t.Errorf("sent to %v", to)
		}
	})
}

// If the designated replica's result does not have the digest that f+1 replicas sent, it is not believed, and the
// other replicas are asked.
func TestC5_ALyingDesignatedReplicaIsNotBelieved(t *testing.T) {
	for _, lag := range []time.Duration{0, 4 * time.Millisecond} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.answersByDigest()
			f.lag = slices.Repeat([]time.Duration{2 * time.Millisecond}, 4)
			liar := f.designated()
			f.lag[liar] = lag
			f.answer[liar] = does(func(r *wire.Reply) { r.Results = [][]byte{make([]byte, 1001)} })
			f.askLong()
		})
	}
}

func TestC5_FPlus1DigestsAreNeeded(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answersByDigest()
		whole := f.designated()
		for i := range f.answer {
			if i != whole {
				f.answer[i] = does(func(r *wire.Reply) { r.Results, r.ResultDigest = nil, &wire.Digest{byte(i + 1)} })
			}
		}
		if r, err := f.ask("a", 10*time.Second); !errors.Is(err, ErrUnknown) {
			t.Errorf("one whole result and other digests are believed: %d bytes, %v", len(r.Output()), err)
		}
	})
}

func TestC5_ADigestIsNoAnswerToWhatWasNotExecuted(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for i := range f.answer {
			f.answer[i] = does(func(r *wire.Reply) { r.Outcome, r.Results, r.ResultDigest = wire.OutcomeConflict, nil, &wire.Digest{1} })
		}
		if _, err := f.ask("a", 5*time.Second); !errors.Is(err, ErrUnknown) {
			t.Errorf("%v", err)
		}
	})
}

// The client sends an at-most-once operation again, for its whole result, only after f+1 replicas have said that they
// executed it.
func TestC7_AtMostOnceFetchesItsResult(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.s.semantics = AtMostOnce
		f.answersByDigest()
		f.answer[f.designated()] = silent
		f.askLong()
		if len(f.executed) != 1 {
			t.Errorf("executed %d times", len(f.executed))
		}
	})
}
