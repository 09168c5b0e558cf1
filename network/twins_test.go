package network

import (
	"strings"
	"testing"
	"time"
)

func TestTwins_ManyRestartsAreNoProof(t *testing.T) {
	var w twins
	now := time.Unix(1, 0)
	for i := range 100 {
		now = now.Add(100 * time.Millisecond)
		for range 3 {
			if w.admit(processID{byte(i)}, 0, now) != accepted {
				t.Fatalf("restart %d", i)
			}
			w.hold(processID{byte(i)}, accepted)
		}
	}
	// The last stream of a process may be read after the first stream of the process that replaced it.
	w.admit(processID{98}, 0, now)
	w.admit(processID{99}, 0, now)
	if w.twice(now) {
		t.Fatal("a stream that was read late proves nothing")
	}
}

func TestTwins_WhoComesBackAgainAndAgainLivesBesideTheOther(t *testing.T) {
	var w twins
	now := time.Unix(1, 0)
	a, b := processID{'a'}, processID{'b'}
	took := 0
	for !w.twice(now) {
		now = now.Add(time.Second)
		w.hold(a, w.admit(a, 0, now))
		w.hold(b, w.admit(b, 0, now))
		if took++; took > twinReturns {
			t.Fatal("never noticed")
		}
	}
	if !w.news(now) || w.news(now.Add(time.Second)) {
		t.Error("it is said once")
	}
	frames := uint64(1)
	w.hold(b, w.admit(b, 0, now)) // b is told
	for range 100 {               // process b is connected and running; however long this lasts, a is refused and told so
		now, frames = now.Add(time.Second), frames+10
		if v := w.admit(a, frames, now); v != refusedTwin {
			t.Fatal(v)
		}
	}
	for range int(twinLasts / time.Second) { // process b has ended without closing its connection
		now = now.Add(time.Second)
		if w.admit(a, frames, now) == accepted {
			return
		}
	}
	t.Error("a dead process keeps the living one out")
}

// If two processes use one key, their peer detects it and tells both. One of them stays connected.
func TestTwins_BothAreTold(t *testing.T) { overEach(t, twinsBothAreTold) }

func twinsBothAreTold(t *testing.T) {
	members := freeMembers(t, 2)
	var log lines
	cfg := configOf(members, 0)
	cfg.Logger = log.logger()
	host := startHost(t, cfg, newRecorder())
	original := startHost(t, configOf(members, 1), newRecorder())
	second := configOf(members, 1)
	second.Listen = []string{anyPort(t)}
	twin := startHost(t, second, newRecorder())
	eventually(t, "the peer has noticed, and both are told", func() bool {
		return host.Peers()[1].Twice && original.Twice() && twin.Twice()
	})
	eventually(t, "the log says so", func() bool { return strings.Contains(log.String(), "two processes run under the same key") })
}
