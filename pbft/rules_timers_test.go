package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// T1: each request has its own timer. Progress on other requests does not reset it. Otherwise a primary could ignore one
// client for ever.
func TestT1_ProgressElsewhereDoesNotResetARequestsTimer(t *testing.T) {
	l := newLab(t, 4, 3)
	l.trust(l.r.pool)
	l.fromClient(l.request(100, "censored"))
	var suspects []*wire.Suspect
	for s := wire.Seq(1); s <= 8 && len(suspects) == 0; s++ {
		l.commitAll(0, s, l.batch(uint64(s), "favoured"))
		suspects = broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout / 4))
	}
	wantCount(t, suspects, 1, "suspects")
	if l.now < l.cfg.ViewTimeout || l.now > 2*l.cfg.ViewTimeout {
		t.Fatalf("after %v", l.now)
	}
}

// T1: an idle primary sends heartbeats. If a primary sends nothing, it is suspected after T even without any request.
func TestT1_ASilentPrimaryIsSuspected(t *testing.T) {
	c := begin(t, 4)
	c.tick(5 * time.Second)
	if c.highestView() != 0 || c.nodes[1].replica.suspicion.sent {
		t.Fatal("an idle primary was suspected")
	}
	c.nodes[0].crash()
	c.until(1500*time.Millisecond, "view 1 is active", func() bool { return c.nodes[1].replica.active && c.nodes[1].replica.view == 1 })
	for _, id := range []int{1, 2, 3} {
		if why := c.nodes[id].replica.Inspect().Left; why != port.CauseSilence {
			t.Errorf("replica %d left view 0, it says, because %s", id, why)
		}
	}
}

// T1: the primary also times itself.
func TestT1_ThePrimaryTimesItself(t *testing.T) {
	l := newLab(t, 4, 0)
	l.fromClient(l.request(1, "a"))
	wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout)), 1, "suspects of itself")
	if l.r.suspicion.cause != port.CauseRequest {
		t.Errorf("because %s", l.r.suspicion.cause)
	}
}

// T3: timers use only the monotonic clock. Jumps of the wall clock change nothing.
func TestT3_WallClockJumpsStartNoTimer(t *testing.T) {
	l := newLab(t, 4, 3)
	for _, wall := range []int64{0, 1 << 62, -1 << 62} {
		l.now += 10 * time.Millisecond
		effects := l.step(port.Tick{Mono: l.now, Wall: wall})
		wantCount(t, broadcasts[*wire.Suspect](effects), 0, "suspects")
	}
}

// V7: the timeout doubles with each view without progress, up to a bound. When new requests were executed, it is T
// again.
func TestV7_TheTimeoutDoublesAndFallsBack(t *testing.T) {
	l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.MaxViewTimeout = 6 * time.Second })
	for v, want := range map[wire.View]time.Duration{1: 1, 2: 2, 3: 4, 4: 6, 5: 6} {
		l.r.view = v
		if got := l.r.timeout(); got != want*time.Second {
			t.Errorf("view %d: %v, want %v", v, got, want*time.Second)
		}
	}
	l = newLab(t, 4, 3)
	l.enter(5)
	if l.r.timeout() != 16*time.Second {
		t.Fatalf("timeout %v in view 5", l.r.timeout())
	}
	l.commitAll(5, 1, l.batch(1, "a"))
	if l.r.timeout() != time.Second {
		t.Fatalf("timeout %v after progress", l.r.timeout())
	}
}

// V7: nulls do not count as progress. A primary that orders only nulls can neither keep timeouts short nor remain the
// primary.
func TestV7_NullsAreNoProgress(t *testing.T) {
	l := newLab(t, 4, 3)
	l.enter(5)
	l.commitAll(5, 1, wire.NullBody)
	if l.r.timeout() != 16*time.Second {
		t.Fatalf("timeout %v", l.r.timeout())
	}
}

// V7: the new-view timer starts at Q view changes for the view, not before.
func TestV7_TheNewViewTimerStartsAtQ(t *testing.T) {
	l := newLab(t, 4, 3)
	l.suspected(1)
	wantCount(t, broadcasts[*wire.Suspect](l.wait(time.Minute)), 0, "suspects with one view change")
	l.from(0, l.viewChange(1, 0, wire.StableCert{}))
	l.from(2, l.viewChange(1, 2, wire.StableCert{}))
	wantCount(t, broadcasts[*wire.Suspect](l.wait(time.Second-time.Millisecond)), 0, "suspects too early")
	wantCount(t, broadcasts[*wire.Suspect](l.wait(time.Millisecond)), 1, "suspects")
}

// V7: a replica that was paused for a while has no reason to leave its view. When it continues, it suspects the primary
// at most once, alone, and takes part as before.
func TestV7_APausedReplicaDisturbsNobody(t *testing.T) {
	c := begin(t, 4)
	c.order(2)
	c.nodes[3].up = false // stopped, with all its state
	for range 10 {
		c.tick(time.Second)
		c.order(1)
	}
	c.nodes[3].up = true
	c.tick(time.Second)
	c.order(2)
	if v := c.highestView(); v != 0 {
		t.Fatalf("view %d", v)
	}
	if c.nodes[3].replica.handed < c.nodes[0].replica.handed && !c.nodes[3].replica.leftBehind() {
		t.Fatalf("did not follow: %s", c.describe())
	}
}
