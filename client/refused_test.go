package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// refuses makes the replicas refuse request numbers up to a limit. They record the refusal at a sequence number; 0
// means without a record.
func (f *fake) refuses(upTo uint64, at wire.Seq) {
	refuse := func(r wire.Reply) []wire.Reply {
		if r.ID.T <= upTo {
			r.Outcome, r.Seq, r.Results = wire.OutcomeRefused, at, nil
		}
		return []wire.Reply{r}
	}
	f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{refuse}, 4) })
}

// C2: after a refusal that is not recorded, a primary may still hold a copy of the request and have it executed
// later. So the outcome is unknown.
func TestC2_ARefusalThatIsNotRecordedIsAnUnknownOutcome(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.refuses(1, 0)
		if _, err := f.ask("a", time.Minute); !errors.Is(err, ErrUnknown) || errors.Is(err, ErrRefused) {
			t.Errorf("refused without a record: %v", err)
		}
		f.mustDo("b")
		if below := f.sendings(2)[0].request.AckedBelow; below != 2 {
			t.Errorf("acknowledged below %d, want 2", below)
		}
	})
}

// C2: a refused number cannot be used again. The operation is sent under another number, and its caller does not
// notice.
func TestC2_WhatWasRefusedGoesOutUnderAnotherNumber(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.refuses(2, 5)
		f.mustDo("a")
		if sent := f.sendings(3); len(sent) == 0 || string(sent[0].request.Ops[0]) != "a" || sent[0].request.AckedBelow != 3 {
			t.Errorf("the third number: %+v", sent)
		}
	})
}

// C2: a refused operation is sent again only when the session acknowledges a higher number than the refused request
// did. Before that, there is no more room than there was.
func TestC2_WhatWasRefusedWaitsForTheOldestRequest(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{silent}, 4) })
		oldest, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		answer := func(r wire.Reply) []wire.Reply {
			switch r.ID.T {
			case 1:
				return nil
			case 2:
				r.Outcome, r.Seq, r.Results = wire.OutcomeRefused, 5, nil
			default:
			}
			return []wire.Reply{r}
		}
		f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{answer}, 4) })
		second, err := f.s.submit(t.Context(), [][]byte{[]byte("b")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if len(f.sendings(3)) > 0 {
			t.Error("it went out again while nothing more was acknowledged")
		}
		f.heal()
		for _, call := range []*Call{oldest, second} {
			if _, err := call.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if sent := f.sendings(3); len(sent) == 0 || string(sent[0].request.Ops[0]) != "b" || sent[0].request.AckedBelow != 3 {
			t.Errorf("the third number: %+v", sent)
		}
	})
}

func TestC2_WhatIsRefusedAgainAndAgainIsToldSo(t *testing.T) {
	for semantics, most := range map[Semantics]uint64{ExactlyOnce: 9, AtLeastOnce: 9, AtMostOnce: 1} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.refuses(100, 5)
			call, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{Semantics: session.Semantics(semantics)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := call.Wait(t.Context()); !errors.Is(err, ErrRefused) || errors.Is(err, ErrUnknown) {
				t.Errorf("%v: %v", semantics, err)
			}
			if len(f.sendings(most)) == 0 || len(f.sendings(most+1)) > 0 {
				t.Errorf("%v: it did not go out under %d numbers", semantics, most)
			}
		})
	}
}

// differ makes each replica return a result of its own for operations that begin with an a.
func (f *fake) differ() {
	f.set(func() {
		for i := range f.answer {
			f.answer[i] = does(func(r *wire.Reply) {
				if string(r.Results[0]) == "did a" {
					r.Results = [][]byte{{byte(i)}}
				}
			})
		}
	})
}

// C4: a request for which no f+1 replicas give equal answers ends with an error of its own. It does not block the
// window.
func TestC4_UnequalAnswersEndARequestAndNotTheSession(t *testing.T) {
	for _, semantics := range []Semantics{ExactlyOnce, AtLeastOnce, AtMostOnce} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.differ()
			call, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{Semantics: session.Semantics(semantics)})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err = call.Wait(ctx)
			if !errors.Is(err, ErrUnequal) || !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "replica 3 said executed at ") {
				t.Errorf("%v: %v", semantics, err)
			}
			f.mustDo("b")
			last := f.sent[len(f.sent)-1].request
			if last.AckedBelow != last.ID.T {
				t.Errorf("%v: request %d acknowledges below %d", semantics, last.ID.T, last.AckedBelow)
			}
		})
	}
}

// C4: this also holds if f replicas do not answer and the callers have given up. Several windows full of such
// requests pass.
func TestC4_UnequalAnswersDoNotEndAClientWhoseCallersGaveUp(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.differ()
		f.set(func() { f.answer[0] = silent })
		for range 2 * f.limits().Window {
			if _, err := f.ask("a", time.Second); err == nil {
				t.Error("an answer of one replica is believed")
			}
		}
		<-time.After(time.Minute)
		f.mustDo("b")
	})
}

// C2: the error for a caller that cannot send names the request that blocks the window, and the reason.
func TestC2_AFullWindowNamesTheOldestRequest(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.fill()
		f.set(func() { f.answer[2] = does(func(*wire.Reply) {}) })
		<-time.After(3 * time.Second)
		_, err := f.ask("x", time.Second)
		if !errors.Is(err, ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		for _, part := range []string{"request is 1, after 4s", "replica 0, 1, 3 said nothing", "replica 2 said executed at 1"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%v: %q is missing", err, part)
			}
		}
	})
}

// C7, D8.4: a primary that asks others what it signed accepts no requests. An operation that is sent only once is not
// lost by that.
func TestC7_WhatTheOneReplicaDidNotTakeGoesOutOnceMore(t *testing.T) {
	for _, semantics := range []Semantics{AtMostOnce, BestEffort} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.set(func() { f.turnsAway = 1 })
			call, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{Semantics: session.Semantics(semantics)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := call.Wait(t.Context()); err != nil {
				t.Errorf("%v: %v", semantics, err)
			}
			if to := recipients(f.sendings(1)); !slices.Equal(to, []int{0, 0, 1, 2, 3}) {
				t.Errorf("%v: it was sent to %v", semantics, to)
			}
		})
	}
}

// C7: an operation was refused, and then its session ends. The operation is sent again in the next session, although
// no number is acknowledged there yet.
func TestC7_WhatWasRefusedGoesOutInTheNextSession(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for range 3 {
			f.mustDo("before")
		}
		answer := func(r wire.Reply) []wire.Reply {
			switch {
			case r.ID.Session != testSession:
			case r.ID.T == 4:
				r.Outcome, r.Seq, r.Results = wire.OutcomeRefused, 5, nil
			default:
				r.Outcome, r.Seq, r.Results = wire.OutcomeExpired, 0, nil
			}
			return []wire.Reply{r}
		}
		f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{answer}, 4) })
		f.allAnsweredWithin(time.Minute, f.submitAtLeastOnce(1))
	})
}

// C7: an at-least-once operation is sent again without waiting for an answer to its own earlier request, which was
// lost.
func TestC7_WhatWasRefusedDoesNotWaitForItsOwnLostRequest(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		answer := func(r wire.Reply) []wire.Reply {
			switch r.ID.T {
			case 1:
				return nil
			case 2:
				r.Outcome, r.Seq, r.Results = wire.OutcomeRefused, 5, nil
			default:
			}
			return []wire.Reply{r}
		}
		f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{answer}, 4) })
		f.allAnsweredWithin(time.Minute, f.submitAtLeastOnce(1))
	})
}
