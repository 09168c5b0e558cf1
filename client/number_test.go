package client

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// hold has all replicas say what they hold of the key, from the first session's beginning.
func (f *fake) hold(highest, floor wire.Session) {
	f.held = [4]wire.Attached(slices.Repeat([]wire.Attached{{Highest: highest, Floor: floor}}, 4))
	f.remake(func(*session.Config) {})
}

// usedSession is the one that the last request went out in.
func (f *fake) usedSession() wire.Session {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[len(f.sent)-1].request.ID.Session
}

// spread is how far above what is held a number may be.
const spread = 1 << 30

// C1: after a clock was ahead, the first request goes out in a session that is neither expired nor the next to be evicted.
func TestC1_AClockThatWentBackDoesNotLockItsKeyOut(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.hold(2000, 1000)
		f.mustDo("a")
		if got := f.usedSession(); got <= 2000 || got > 2000+spread {
			t.Errorf("the clock says %d, 2000 is held, and the session is %d", testSession, got)
		}
		if want := []wire.Session{f.usedSession()}; !slices.Equal(f.attached, want) {
			t.Errorf("replicas were told of sessions %v, want %v", f.attached, want)
		}
	})
}

// C1: programs on several machines that choose at the same time do not choose the same number.
func TestC1_TwoProgramsAboveTheSameNumberChooseTwo(t *testing.T) {
	var chosen []wire.Session
	for seed := range uint64(2) {
		withCluster(t, func(t *testing.T, f *fake) {
			f.of.Random = rand.New(rand.NewPCG(seed, 0))
			f.hold(2000, 1000)
			f.mustDo("a")
			chosen = append(chosen, f.usedSession())
		})
	}
	if chosen[0] == chosen[1] {
		t.Errorf("both chose %d", chosen[0])
	}
}

// C1: f liars neither drive the numbers up nor hide what the others hold.
func TestC1_OneLiarDoesNotChooseTheNumber(t *testing.T) {
	for name, test := range map[string]struct{ all, liar, above, most wire.Session }{
		"that nothing is held": {all: 2000, liar: 0, above: 2000, most: 2000 + spread},
		"that much is held":    {all: 5, liar: 1 << 60, above: 6, most: 7},
	} {
		withCluster(t, func(t *testing.T, f *fake) {
			f.hold(test.all, test.all)
			f.set(func() { f.held[3] = wire.Attached{Highest: test.liar, Floor: test.liar} })
			f.remake(func(*session.Config) {})
			f.mustDo("a")
			if got := f.usedSession(); got <= test.above || got > test.most {
				t.Errorf("a liar says %s: session %d, want one above %d", name, got, test.above)
			}
		})
	}
}

// C1: one absurdly high session number does not use up its key: the numbers between it and the floor stay free.
func TestC1_ANumberAtTheEndOfAllDoesNotLockItsKeyOut(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.hold(math.MaxUint64, 1000)
		f.mustDo("a")
		if got := f.usedSession(); got <= 1000 || got > 1000+spread {
			t.Errorf("the floor is 1000, and the session %d", got)
		}
		f.hold(math.MaxUint64, 3)
		f.mustDo("a")
		if got := f.usedSession(); got != testSession {
			t.Errorf("the floor is 3, and the session %d", got)
		}
	})
}

// C1: replicas that are older give no hints; then the clock alone gives the number, after a moment.
func TestC1_OlderReplicasAreNotWaitedForLong(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.old = true
		f.remake(func(*session.Config) {})
		start := time.Now()
		f.mustDo("a")
		if took := time.Since(start); f.usedSession() != testSession || took < time.Second || took > 1200*time.Millisecond {
			t.Errorf("session %d after %v", f.usedSession(), took)
		}
		start = time.Now()
		f.mustDo("b")
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("the second request took %v", took)
		}
	})
}

// C1: where too few replicas are connected for any answer, the number waits for them.
func TestC1_TheNumberWaitsForReplicasToBeConnected(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.old = true
		f.remake(func(*session.Config) {})
		f.set(func() {
			f.held = [4]wire.Attached{{Highest: 9}, {Highest: 9}, {Highest: 9}, {Highest: 9}}
			f.down, f.old = []bool{true, true, true, false}, false
		})
		call, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{})
		if err == nil {
			time.AfterFunc(time.Minute, func() { f.set(func() { f.down = make([]bool, 4) }) })
			_, err = call.Wait(t.Context())
		}
		if err != nil || f.usedSession() <= 9 {
			t.Errorf("session %d, %v", f.usedSession(), err)
		}
	})
}

// C1: after a session without open requests has expired, a fresh one begins, and no caller is told.
func TestC1_AnIdleSessionThatExpiredIsFollowedSilently(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.mustDo("a")
		f.evicts()
		f.set(func() { f.held = [4]wire.Attached(slices.Repeat([]wire.Attached{{Highest: 90, Floor: 80}}, 4)) })
		for to := range 4 { // the links are new
			f.set(func() { f.attach(to, &wire.Attach{Session: testSession}) })
		}
		<-time.After(time.Second)
		synctest.Wait()
		f.mustDo("b")
		if got := f.usedSession(); got <= 90 {
			t.Errorf("90 is held, and the session is %d", got)
		}
	})
}

// C1: after the reply that a session has expired, the next session is above those that the replicas hold by then.
func TestC1_AfterAnExpiredSessionTheNumberIsAboveWhatIsHeldThen(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.mustDo("a")
		f.evicts()
		f.set(func() { f.held = [4]wire.Attached(slices.Repeat([]wire.Attached{{Highest: 5000, Floor: 4000}}, 4)) })
		if _, err := f.ask("b", time.Minute); err == nil {
			t.Error("nothing expired")
		}
		f.mustDo("c")
		if got := f.usedSession(); got <= 5000 {
			t.Errorf("5000 is held, and the session is %d", got)
		}
	})
}

func TestC1_SessionNumbersRiseWhateverTheClock(t *testing.T) {
	lastSession.Store(1 << 62) // a clock that was ahead of today's
	defer lastSession.Store(0)
	if a, b := newSessionNumber(0), newSessionNumber(0); a != 1<<62+1 || b != a+1 {
		t.Errorf("numbers %d and %d after %d", a, b, int64(1<<62))
	}
	lastSession.Store(0)
	before := time.Now().UnixNano()
	if a := newSessionNumber(0); int64(a) < before {
		t.Errorf("number %d is below the clock's %d", a, before)
	}
}
