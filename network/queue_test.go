package network

import (
	"testing"
	"time"
)

func TestQueue_BoundsFramesAndBytesUntilReleased(t *testing.T) {
	q := newQueue(3, 10)
	for _, step := range []struct {
		size int
		want bool
	}{{4, true}, {4, true}, {3, false}, {2, true}, {0, false}} {
		if got := q.push(make([]byte, step.size)); got != step.want {
			t.Fatalf("push of %d bytes: %v", step.size, got)
		}
	}
	batch := q.take()
	if len(batch) != 3 || q.push([]byte{1}) {
		t.Fatal("what is being written still counts")
	}
	q.release(batch)
	if frames, bytes := q.size(); frames != 0 || bytes != 0 {
		t.Fatalf("%d frames, %d bytes after the release", frames, bytes)
	}
	if !q.push(make([]byte, 10)) {
		t.Fatal("no room in an empty queue")
	}
}

func TestQueue_CloseTellsWhatIsLostAndRefusesMore(t *testing.T) {
	q := newQueue(8, 100)
	q.push([]byte{1})
	taken := q.take()
	q.push([]byte{2})
	if lost := q.close(); lost != 2 {
		t.Fatalf("%d lost, want the one being written and the one waiting", lost)
	}
	q.release(taken)
	if frames, bytes := q.size(); frames != 0 || bytes != 0 || q.push([]byte{3}) {
		t.Fatalf("a closed queue holds %d frames, %d bytes", frames, bytes)
	}
}

func TestBackoff_GrowsToItsCapAndRestartsOnlyAfterALastingConnection(t *testing.T) {
	var b backoff
	within := func(step string, got, full time.Duration) {
		t.Helper()
		if got < full/2 || got > full {
			t.Fatalf("%s: waits %v, want %v to %v", step, got, full/2, full)
		}
	}
	for full := backoffFirst; full < backoffMax; full *= 2 {
		within("growing", b.next(0), full)
	}
	within("at the cap", b.next(0), backoffMax)
	within("after a short connection", b.next(backoffMax/2), backoffMax)
	within("after a lasting connection", b.next(backoffMax), backoffFirst)
	within("failing again", b.next(0), 2*backoffFirst)
}
