package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/pbft/wire"
)

// evicts makes the replicas answer every request of the test's present session as expired. Later sessions are not
// affected.
func (f *fake) evicts() {
	expired := func(r wire.Reply) []wire.Reply {
		if r.ID.Session == testSession {
			r.Outcome, r.Seq, r.Results = wire.OutcomeExpired, 0, nil
		}
		return []wire.Reply{r}
	}
	f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{expired}, 4) })
}

func TestC1_AnExpiredSessionIsFollowedByAFreshOne(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.mustDo("a")
		f.evicts()
		if _, err := f.ask("b", time.Minute); !errors.Is(err, ErrExpired) {
			t.Errorf("in an expired session: %v", err)
		}
		f.mustDo("c")
		if last := f.sent[len(f.sent)-1].request; last.ID.Session != testSession+1 || last.ID.T != 1 || last.AckedBelow != 1 {
			t.Errorf("the next request is %+v, below %d", last.ID, last.AckedBelow)
		}
		if want := []wire.Session{testSession + 1}; !slices.Equal(f.attached, want) {
			t.Errorf("replicas were told of sessions %v, want %v", f.attached, want)
		}
	})
}

// When a session has expired, a new one begins as soon as the old one has no open request. Each open request first
// ends, with or without a result. Requests that waited are then sent in the new session and are answered.
func TestC1_NothingOutstandingIsCarriedIntoTheFreshSession(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		calls := f.fill()
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() { f.mustDo("in line") })
		}
		synctest.Wait()
		_, _ = f.s.abandon(calls[0], context.Canceled) // such a request would seldom be sent again
		f.evicts()
		start := time.Now()
		waiting.Wait()
		if took := time.Since(start); took > time.Second {
			t.Errorf("those in line waited %v", took)
		}
		for _, call := range calls {
			if _, err := call.Wait(t.Context()); !errors.Is(err, ErrExpired) {
				t.Errorf("outstanding: %v", err)
			}
		}
	})
}

func TestC1_OneReplicaCannotEndASession(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answer[3] = final(wire.OutcomeExpired)
		f.mustDo("a")
		f.mustDo("b")
		if f.s.core.ID() != testSession || f.attached != nil {
			t.Errorf("in session %d", f.s.core.ID())
		}
	})
}
