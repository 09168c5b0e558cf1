package client

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// fill submits as many unanswered requests as the window takes.
func (f *fake) fill() (calls []*Call) {
	f.t.Helper()
	for i := range f.answer {
		f.answer[i] = silent
	}
	for range f.limits().Window {
		call, err := f.s.submit(f.t.Context(), [][]byte{[]byte("a")}, session.Kind{})
		if err != nil {
			f.t.Fatal(err)
		}
		calls = append(calls, call)
	}
	return calls
}

func (f *fake) heal() {
	f.set(func() {
		for i := range f.answer {
			f.answer[i] = honest
		}
	})
}

func TestC2_NumbersRiseFrom1AndAcknowledgeWhatIsAnswered(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for want := uint64(1); want <= 3; want++ {
			f.mustDo("a")
			sent := f.sendings(want)
			if len(sent) != 1 || sent[0].request.AckedBelow != want || sent[0].request.ID.Session != testSession {
				t.Errorf("request %d: %d transmissions, %+v", want, len(sent), sent[0].request)
			}
		}
	})
}

func TestC2_NoMoreThanTheWindowIsUnderWay(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.fill()
		done := make(chan error)
		go func() {
			_, err := f.s.submit(t.Context(), [][]byte{[]byte("one more")}, session.Kind{})
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("a fifth request passed a window of 4: %v", err)
		default:
		}
		f.heal()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it is being signed
		sent := f.sendings(5)
		if below := sent[0].request.AckedBelow; 5-below >= 4 {
			t.Errorf("request 5 acknowledges below %d: the replicas would refuse it", below)
		}
	})
}

func TestC2_WhoWaitsForTheWindowIsServedInOrder(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.fill()
		type served struct {
			place int
			call  *Call
		}
		line := make(chan served, 3)
		for place := range 3 {
			go func() {
				call, err := f.s.submit(t.Context(), [][]byte{[]byte("x")}, session.Kind{})
				if err != nil {
					t.Error(err)
				}
				line <- served{place, call}
			}()
			synctest.Wait() // it waits in line
		}
		f.heal()
		for range 3 {
			got := <-line
			if <-got.call.Done(); got.call.ID().Number != uint64(5+got.place) {
				t.Errorf("place %d in line got number %d", got.place, got.call.ID().Number)
			}
		}
	})
}

func TestCancel_WhoGivesUpInLineHasSentNothingAndHoldsNobodyUp(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.fill()
		_, err := f.ask("gives up", time.Second)
		if !errors.Is(err, ErrNotSent) || errors.Is(err, ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("giving up in line gives %v", err)
		}
		f.heal()
		f.mustDo("b")
		if r := f.sendings(5); len(r) == 0 || string(r[0].request.Ops[0]) != "b" {
			t.Error("the number of the one who gave up was not reused, though it was not given out")
		}
	})
}

func TestClose_EndsEverythingAtOnce(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		calls := f.fill()
		inLine := make(chan error)
		go func() {
			_, err := f.s.submit(t.Context(), [][]byte{[]byte("in line")}, session.Kind{})
			inLine <- err
		}()
		synctest.Wait()
		before := len(f.sendings(1))
		f.s.close()
		f.s.close()
		for _, call := range calls {
			if _, err := call.Wait(t.Context()); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrUnknown) {
				t.Errorf("a call under way ends with %v", err)
			}
		}
		if err := <-inLine; !errors.Is(err, ErrClosed) || !errors.Is(err, ErrNotSent) {
			t.Errorf("a call in line ends with %v", err)
		}
		if _, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{}); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrNotSent) {
			t.Errorf("a call after Close gives %v", err)
		}
		for i := range 4 {
			f.s.FromReplica(i, wire.Encode(&wire.Reply{ID: calls[0].core.ID(), Outcome: wire.OutcomeExecuted}))
		}
		<-time.After(time.Minute)
		if n := len(f.sendings(1)); n != before {
			t.Errorf("%d transmissions after Close", n-before)
		}
	})
}

func TestLimits_ARequestNoReplicaWouldTakeIsNotSent(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for name, ops := range map[string][][]byte{
			"none":      nil,
			"many":      make([][]byte, 9),
			"one large": {make([]byte, 101)},
			"together":  slices.Repeat([][]byte{make([]byte, 100)}, 8)[:8:8],
		} {
			if name == "together" {
				f.remake(func(of *session.Config) { of.Limits.TotalBytes = 900 })
			}
			if _, err := f.s.submit(t.Context(), ops, session.Kind{}); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: %v", name, err)
			}
		}
		f.mustDo("a")
		if f.sendings(1) == nil {
			t.Error("a refused request used up a number")
		}
	})
}
