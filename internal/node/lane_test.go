package node

import (
	"context"
	"testing"
	"testing/synctest"

	"tagma/pbft/port"
)

// S4, I14: while the loop stands still, the bytes that wait in the lane are bounded. The links of further messages are
// not read until there is room.
func TestS4_ALaneIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(100, 10)
		for range 5 {
			go l.put(t.Context(), port.Tick{}, 4)
		}
		synctest.Wait()
		if k := len(l.events); k != 2 {
			t.Fatalf("%d messages of 4 bytes have room in 10", k)
		}
		if k := len(l.drain(nil, 1)); k != 1 {
			t.Fatalf("drained %d", k)
		}
		synctest.Wait()
		if k := len(l.events); k != 2 {
			t.Errorf("%d messages wait when one was taken, of those behind it", k)
		}
		for taken := 1; taken < 5; synctest.Wait() {
			taken += len(l.drain(nil, 10))
		}
	})
}

// A message that is larger than the lane's bound enters when the lane is empty.
func TestALaneLetsALargeMessagePass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(100, 10)
		l.put(t.Context(), port.Tick{}, 1)
		go l.put(t.Context(), port.Tick{}, 1000)
		synctest.Wait()
		if k := len(l.drain(nil, 10)); k != 1 {
			t.Fatalf("%d messages were in the lane", k)
		}
		synctest.Wait()
		if k := len(l.drain(nil, 10)); k != 1 {
			t.Errorf("%d large messages came through", k)
		}
	})
}

// When the node ends, every wait for room in a lane ends.
func TestALaneIsLeftAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := newLane(1, 10)
		done := make(chan struct{}, 3)
		for range 3 {
			go func() { l.put(ctx, port.Tick{}, 4); done <- struct{}{} }()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if k := len(done); k != 3 {
			t.Errorf("%d of 3 readers have ended", k)
		}
	})
}
