package client

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// submitAtLeastOnce submits operations that may be executed several times.
func (f *fake) submitAtLeastOnce(ops int) (calls []*Call) {
	f.t.Helper()
	for range ops {
		call, err := f.s.submit(f.t.Context(), [][]byte{[]byte("again")}, session.Kind{Semantics: session.AtLeastOnce})
		if err != nil {
			f.t.Fatal(err)
		}
		calls = append(calls, call)
	}
	return calls
}

// holdSignatures delays some signatures, which are counted from 1, until the returned function is called.
func (f *fake) holdSignatures(held func(n int32) bool) chan struct{} {
	release := make(chan struct{})
	var signed atomic.Int32
	f.remake(func(of *session.Config) {
		of.Sign = func(b []byte) (wire.Signature, error) {
			if held(signed.Add(1)) {
				<-release
			}
			return f.key.Sign(b), nil
		}
	})
	return release
}

// allAnsweredWithin also submits one more operation, under the default semantics, and waits for it.
func (f *fake) allAnsweredWithin(d time.Duration, calls []*Call) {
	f.t.Helper()
	enough := time.After(d)
	for i, call := range calls {
		select {
		case <-call.Done():
			if call.err != nil {
				f.t.Errorf("call %d of %d: %v", i, len(calls), call.err)
			}
		case <-enough:
			f.t.Errorf("call %d of %d was not answered within %v", i, len(calls), d)
			return
		}
	}
	f.mustDo("and all others")
}

// At-least-once requests that were not answered in time are not sent again under their number. If such numbers fill
// the window, the session must free them for new requests. Otherwise every other call of the session would wait.
func TestC7_AtLeastOnceGoesOnWhenUnansweredNumbersFillTheWindow(t *testing.T) {
	for name, c := range map[string]struct {
		window uint64
		ops    int
	}{
		"all at once": {window: 4, ops: 4}, "one after the other": {window: 4, ops: 1}, "those that were given up": {window: 9, ops: 1},
	} {
		t.Run(name, func(t *testing.T) {
			withCluster(t, func(t *testing.T, f *fake) {
				f.remake(func(of *session.Config) { of.Limits = limits(c.window).Choose(1, 0) })
				f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{silent}, 4) })
				calls := f.submitAtLeastOnce(c.ops)
				<-time.After(time.Minute)
				f.heal()
				f.allAnsweredWithin(10*time.Second, calls)
			})
		})
	}
}

// C1: a request may be numbered just before its client learns that the session has expired. Such a request is never
// answered, and does not delay the next session.
func TestC7_AtLeastOnceLeavesAnExpiredSessionThatDoesNotAnswer(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		release := f.holdSignatures(func(n int32) bool { return n == 1 })
		var submitting sync.WaitGroup
		var slow []*Call
		submitting.Go(func() { slow = f.submitAtLeastOnce(1) })
		<-time.After(time.Millisecond)
		f.evicts()
		if _, err := f.ask("b", time.Minute); !errors.Is(err, ErrExpired) {
			t.Errorf("in an expired session: %v", err)
		}
		mute := func(r wire.Reply) []wire.Reply {
			if r.ID.Session == testSession {
				return nil
			}
			return []wire.Reply{r}
		}
		f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{mute}, 4) })
		close(release)
		submitting.Wait()
		f.allAnsweredWithin(10*time.Second, slow)
	})
}

// If an operation was sent in a session that then expired, it counts as sent, whatever happens to it in the next
// session.
func TestClose_AnOperationThatWentOutUnderAnEarlierNumberIsUnknown(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		release := f.holdSignatures(func(n int32) bool { return n > 1 })
		f.evicts()
		call := f.submitAtLeastOnce(1)[0]
		<-time.After(10 * time.Second) // the operation has a number in the new session and is being signed
		f.s.close()
		close(release)
		if _, err := call.Wait(t.Context()); !errors.Is(err, ErrUnknown) || errors.Is(err, ErrNotSent) {
			t.Errorf("%v; its first request was executed %d times", err, len(f.executed))
		}
	})
}
