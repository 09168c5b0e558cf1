package node

import (
	"sync/atomic"
	"testing"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/wire"
)

// toll counts what passes it.
type toll struct {
	driver.Transport
	sent, responded *atomic.Int64
}

func (t toll) Send(to wire.ReplicaID, frame []byte) {
	t.sent.Add(1)
	t.Transport.Send(to, frame)
}

func (t toll) Respond(reply *wire.Reply) {
	t.responded.Add(1)
	t.Transport.Respond(reply)
}

func TestOptions_EverythingThatLeavesPassesTheirTransport(t *testing.T) {
	t.Parallel()
	var sent, responded atomic.Int64
	b := newTestbed(t, 4, small)
	b.start(0, Options{Transport: func(under driver.Transport) driver.Transport { return toll{under, &sent, &responded} }})
	for i := 1; i < 4; i++ {
		b.start(i)
	}
	l := b.load()
	l.put(8, 100)
	b.level(4)
	// Each request needed at least a pre-prepare and a commit, each sent to three replicas, and a reply.
	if sent.Load() < 6 || responded.Load() < 1 {
		t.Errorf("%d frames and %d replies passed", sent.Load(), responded.Load())
	}
}

func TestOptions_TheirWallClockIsTheCores(t *testing.T) {
	t.Parallel()
	jumped := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	l := loop{began: time.Now(), wall: func() time.Time { return jumped }, due: func() int64 { return 5 }}
	if tick := l.now(); tick.Due != 5 || tick.Wall != jumped.UnixNano() || tick.Mono > time.Minute {
		t.Errorf("%+v", tick)
	}
}
