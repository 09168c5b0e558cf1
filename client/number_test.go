package client

import (
	"testing"
	"time"
)

func TestC1_SessionNumbersRiseWhateverTheClock(t *testing.T) {
	lastSession.Store(1 << 62) // a clock that was ahead of today's
	defer lastSession.Store(0)
	if a, b := newSessionNumber(), newSessionNumber(); a != 1<<62+1 || b != a+1 {
		t.Errorf("numbers %d and %d after %d", a, b, int64(1<<62))
	}
	lastSession.Store(0)
	before := time.Now().UnixNano()
	if a := newSessionNumber(); int64(a) < before {
		t.Errorf("number %d is below the clock's %d", a, before)
	}
}
