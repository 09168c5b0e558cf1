package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

func TestC3_ARequestGoesToThePrimaryFirst(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.mustDo("a")
		if to := recipients(f.sendings(1)); !slices.Equal(to, []int{0}) {
			t.Errorf("sent to %v, want the primary of view 0 alone", to)
		}
	})
}

func TestC3_WithoutAnAnswerItGoesToAllByteIdentical(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for i := range f.answer {
			f.answer[i] = silent
		}
		start := time.Now()
		_, _ = f.ask("a", 30*time.Second) // nobody answers
		sent := f.sendings(1)
		if to := recipients(sent[:9]); !slices.Equal(to, []int{0, 0, 1, 2, 3, 0, 1, 2, 3}) {
			t.Errorf("sent to %v", to)
		}
		for _, s := range sent {
			if !bytes.Equal(s.frame, sent[0].frame) {
				t.Fatal("a retransmission differs from the request")
			}
		}
		if first := sent[1].at.Sub(start); first < firstTimeout || first > firstTimeout*5/4 {
			t.Errorf("sent again after %v, want %v and up to a quarter more", first, firstTimeout)
		}
		previous := time.Duration(0)
		for i := 5; i < len(sent); i += 4 {
			gap := sent[i].at.Sub(sent[i-4].at)
			if gap < previous*4/5 || gap > maxTimeout*5/4 {
				t.Errorf("transmission %d comes %v after the one before, that one after %v", i/4, gap, previous)
			}
			previous = gap
		}
		if previous < maxTimeout {
			t.Errorf("the last gap is %v, want the cap of %v", previous, maxTimeout)
		}
	})
}

func TestC3_AnUnreachablePrimaryIsGoneRoundAtOnce(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.down[0], f.view = true, 1
		start := time.Now()
		f.mustDo("a")
		if took := time.Since(start); took > minTimeout {
			t.Errorf("took %v, want no time-out", took)
		}
	})
}

func TestC3_ASilentPrimaryCostsOneTimeout(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answer[0], f.deaf[0], f.view = silent, true, 1
		start := time.Now()
		f.mustDo("a")
		if took := time.Since(start); took < firstTimeout || took > 2*firstTimeout {
			t.Errorf("took %v, want one time-out of %v", took, firstTimeout)
		}
	})
}

func TestC3_EveryRequestUnderWayIsSentAgain(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.fill()
		<-time.After(10 * time.Second)
		for number := uint64(1); number <= f.limits().Window; number++ {
			if rounds := (len(f.sendings(number)) - 1) / 4; rounds < 5 {
				t.Errorf("request %d was sent again %d times in 10s", number, rounds)
			}
		}
	})
}

func TestC3_PatienceFollowsTheTimeThatAnswersTook(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for range 50 {
			f.mustDo("a")
		}
		f.fill()
		<-time.After(2 * minTimeout)
		sent := f.sendings(51)
		if gap := sent[1].at.Sub(sent[0].at); gap < minTimeout || gap > minTimeout*5/4 {
			t.Errorf("after answers in %v, sent again after %v, want %v", 2*oneWay, gap, minTimeout)
		}
	})
}

func TestViewHint_TheClientFollowsFPlus1Replicas(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.view = 6
		f.mustDo("a") // through the backup 0
		f.mustDo("b")
		if to := recipients(f.sendings(2)); !slices.Equal(to, []int{2}) {
			t.Errorf("sent to %v, want the primary of view 6", to)
		}
	})
}

func TestViewHint_OneLiarNeitherInventsNorHoldsAView(t *testing.T) {
	for name, claim := range map[string]wire.View{"far ahead": 1<<63 + 3, "behind": 0} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.answer[3] = does(func(r *wire.Reply) { r.View = claim })
			f.view = 5
			f.mustDo("a")
			f.mustDo("b")
			f.set(func() { f.view = 6 })
			f.mustDo("c")
			<-time.After(time.Second) // wait until the last replies have arrived
			f.mustDo("d")
			if to := recipients(f.sendings(4)); !slices.Equal(to, []int{2}) {
				t.Errorf("%s: sent to %v, want the primary of view 6", name, to)
			}
		})
	}
}

func TestC6_BusyIsNoFailureWhileThereIsTime(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for i := range f.answer {
			f.answer[i] = does(busy)
		}
		time.AfterFunc(3*time.Second, func() {
			f.set(func() {
				for i := range f.answer {
					f.answer[i] = honest
				}
			})
		})
		f.mustDo("a")
	})
}

func TestC6_BusyIsTheErrorOnlyWhenTimeRunsOutAndFPlus1SaySo(t *testing.T) {
	for busyReplicas, want := range map[int]bool{1: false, 2: true, 4: true} {
		withCluster(t, func(t *testing.T, f *fake) {
			for i := range f.answer {
				f.answer[i] = silent
			}
			for i := range busyReplicas {
				f.answer[i] = does(busy)
			}
			_, err := f.ask("a", 5*time.Second)
			if !errors.Is(err, ErrUnknown) || errors.Is(err, ErrBusy) != want {
				t.Errorf("%d busy replicas give %v", busyReplicas, err)
			}
		})
	}
}

func TestC6_BusyPutsARetransmissionOff(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		hint := does(func(r *wire.Reply) { busy(r); r.RetryAfterMillis = 1000 })
		f.answer = []func(wire.Reply) []wire.Reply{hint, hint, silent, silent}
		_, _ = f.ask("a", 20*time.Second) // nobody executes
		sent := f.sendings(1)
		if gap := sent[1].at.Sub(sent[0].at); gap < firstTimeout+time.Second {
			t.Errorf("sent again after %v, want the hint of 1s on top of %v", gap, firstTimeout)
		}
	})
}

func TestC6_BusyForOneRequestDoesNotPutOthersOff(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		busyFor1 := func(r wire.Reply) []wire.Reply {
			if r.ID.T != 1 {
				return nil
			}
			busy(&r)
			r.RetryAfterMillis = 2000
			return []wire.Reply{r}
		}
		f.fill()
		f.set(func() { f.answer = []func(wire.Reply) []wire.Reply{busyFor1, busyFor1, busyFor1, busyFor1} })
		<-time.After(time.Minute)
		for number := uint64(2); number <= f.limits().Window; number++ {
			sent := f.sendings(number)
			for i := 4; i < len(sent); i++ {
				if gap := sent[i].at.Sub(sent[i-1].at); gap > maxTimeout*5/4 {
					t.Errorf("request %d was sent again after %v only", number, gap)
				}
			}
		}
	})
}

// If a liar answers Busy again and again, each transmission is delayed by at most one more timeout.
func TestC6_ALiarsBusyCannotStopRetransmission(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.answer[0] = func(r wire.Reply) (all []wire.Reply) {
			busy(&r)
			r.RetryAfterMillis = 1<<32 - 1
			return slices.Repeat([]wire.Reply{r}, 100)
		}
		f.answer[1], f.answer[2], f.answer[3] = silent, silent, silent
		_, _ = f.ask("a", 20*time.Second) // nobody else answers
		sent := f.sendings(1)
		if gap := sent[1].at.Sub(sent[0].at); gap > 3*firstTimeout {
			t.Errorf("sent again after %v", gap)
		}
	})
}

func TestCancel_ReturnsPromptlyAndTheNumberIsStillAcknowledgedLater(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for i := range f.answer {
			f.answer[i] = silent
		}
		ctx, cancel := context.WithCancel(t.Context())
		call, err := f.s.submit(ctx, [][]byte{[]byte("a")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		start := time.Now()
		_, err = call.Wait(ctx)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || unknown.Request.Number != 1 || !errors.Is(err, context.Canceled) || time.Since(start) != 0 {
			t.Fatalf("%v after %v", err, time.Since(start))
		}
		_, _ = f.s.abandon(call, nil) // this test needs no answer to it
		f.set(func() { copy(f.answer, []func(wire.Reply) []wire.Reply{honest, honest, honest, honest}) })
		f.mustDo("b")
		if below := f.sendings(2)[0].request.AckedBelow; below != 1 {
			t.Errorf("request 2 acknowledges below %d while 1 is unknown", below)
		}
		<-call.Done()
		f.mustDo("c")
		if below := f.sendings(3)[0].request.AckedBelow; below != 3 {
			t.Errorf("request 3 acknowledges below %d, want 3", below)
		}
		if r, err := call.Wait(t.Context()); err != nil || string(r.Output()) != "did a" {
			t.Errorf("asked again, the call says %q, %v", r.Output(), err)
		}
	})
}

func TestCancel_AnAbandonedRequestIsSentAtASlowPace(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		for i := range f.answer {
			f.answer[i] = silent
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		call, err := f.s.submit(ctx, [][]byte{[]byte("a")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.s.abandon(call, nil) // this test needs no answer to it
		<-ctx.Done()
		synctest.Wait()
		rounds := (len(f.sendings(1)) - 1) / 4
		if most := int(time.Minute / slowPace); rounds > most || rounds < most/2 {
			t.Errorf("%d rounds in a minute, want one in %v", rounds, slowPace)
		}
	})
}

// C6, C3: in an outage, a client's requests are answered with Busy again and again, until each waits maxTimeout for
// its next transmission. The first other answer shows that the replicas have room again, so the client sends the next
// request at once.
func TestC6_AnAnswerBringsTheNextRequestThatWasTurnedAway(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		const requests = 8
		var over atomic.Bool
		outage := func(r wire.Reply) []wire.Reply {
			if !over.Load() {
				busy(&r)
				r.RetryAfterMillis = 2000
			}
			return []wire.Reply{r}
		}
		f.set(func() { f.answer = []func(wire.Reply) []wire.Reply{outage, outage, outage, outage} })
		var calls sync.WaitGroup
		for i := range requests {
			calls.Go(func() {
				if _, err := f.ask(fmt.Sprint(i), 2*time.Minute); err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			})
		}
		<-time.After(time.Minute)
		over.Store(true)
		calls.Wait()
		var last []time.Time
		for number := uint64(1); number <= requests; number++ {
			sent := f.sendings(number)
			last = append(last, sent[len(sent)-1].at)
		}
		slices.SortFunc(last, time.Time.Compare)
		if took := last[requests-1].Sub(last[0]); took > requests*8*oneWay {
			t.Errorf("the requests were sent within %v, want one answer after the other", took)
		}
	})
}
