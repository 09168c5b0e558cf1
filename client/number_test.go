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

// hold makes all replicas report which sessions of the key they hold, from the beginning of the first session on.
func (f *fake) hold(highest, floor wire.Session) {
	f.held = [4]wire.Attached(slices.Repeat([]wire.Attached{{Highest: highest, Floor: floor}}, 4))
	f.remake(func(*session.Config) {})
}

// usedSession returns the session in which the last request was sent.
func (f *fake) usedSession() wire.Session {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[len(f.sent)-1].request.ID.Session
}

// spread is how far a new session number may be above those that the replicas hold.
const spread = 1 << 30

// C1: an earlier program used a session number from a clock that was ahead. The first request of a client is
// nevertheless sent in a session that has not expired and is not the next to expire.
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

// C1: programs on several machines may choose a session number at the same time. They do not choose the same one.
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

// C1: f lying replicas can neither make the session numbers rise nor hide which sessions the others hold.
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

// C1: a session with an extremely high number does not make its key useless, because numbers between the floor and
// that number can still be used.
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

// C1: replicas of an older version send no hints. After a short wait, the client takes the session number from the
// clock alone.
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

// C1: while too few replicas are connected for any answer, the client does not choose a session number.
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

// C1: if a session without open requests expires, a new session begins, and no caller gets an error.
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

// C1: after a reply that says that the session has expired, the next session's number is above those that the
// replicas hold at that time.
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
	lastSession.Store(1 << 62) // a session number from a clock that was far ahead
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
