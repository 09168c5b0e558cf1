package session

import (
	"math/rand/v2"
	"testing"
	"time"
)

func newPace() *pace { return &pace{random: rand.New(rand.NewPCG(1, 2))} }

func TestPace_FollowsTheMeasuredTimeWithinBounds(t *testing.T) {
	p := newPace()
	if got := p.timeout(); got != firstTimeout {
		t.Errorf("before any measure %v, want %v", got, firstTimeout)
	}
	for _, c := range []struct{ took, low, high time.Duration }{
		{time.Millisecond, minTimeout, minTimeout},
		{200 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond},
		{time.Hour, maxTimeout, maxTimeout},
		{5 * time.Millisecond, minTimeout, minTimeout},
	} {
		for range 200 {
			p.answered(c.took)
		}
		if got := p.timeout(); got < c.low || got > c.high {
			t.Errorf("after answers in %v the timeout is %v, want %v to %v", c.took, got, c.low, c.high)
		}
	}
}

func TestPace_DoublesWithJitterUpToTheCap(t *testing.T) {
	p := newPace()
	for transmissions, want := range map[int]time.Duration{
		1: firstTimeout, 2: 2 * firstTimeout, 3: 4 * firstTimeout, 4: maxTimeout, 1 << 40: maxTimeout,
	} {
		differ := false
		first := p.after(transmissions)
		for range 20 {
			got := p.after(transmissions)
			if got < want || got > want*5/4 {
				t.Errorf("after transmission %d: %v, want %v and up to a quarter more", transmissions, got, want)
			}
			differ = differ || got != first
		}
		if !differ {
			t.Errorf("after transmission %d: no jitter", transmissions)
		}
	}
}
