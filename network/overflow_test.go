package network

import (
	"testing"
	"time"
)

// sluggish is a Handler that blocks in FromReplica until the test lets it continue.
type sluggish struct {
	*recorder
	let chan struct{}
}

func (s *sluggish) FromReplica(from int, frame []byte) {
	select {
	case <-s.let:
	case <-s.stop:
	}
	s.recorder.FromReplica(from, frame)
}

// withSlowReplica starts three hosts. Host 1 reads nothing until the channel is closed.
func withSlowReplica(t *testing.T, adjust func(*Config)) (*cluster, chan struct{}) {
	t.Helper()
	c := &cluster{members: freeMembers(t, 3)}
	let := make(chan struct{})
	for i := range 3 {
		cfg := configOf(c.members, i)
		if adjust != nil {
			adjust(&cfg)
		}
		c.heard = append(c.heard, newRecorder())
		var handler Handler = c.heard[i]
		if i == 1 {
			handler = &sluggish{recorder: c.heard[i], let: let}
		}
		h, err := Listen(cfg, handler)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			c.heard[i].quiet()
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
		c.hosts = append(c.hosts, h)
	}
	for _, h := range c.hosts {
		if err := h.WaitConnected(within(t), 2); err != nil {
			t.Fatal(err)
		}
	}
	return c, let
}

func TestOverflow_IsCountedAndNeverBlocks_I14(t *testing.T) {
	const size, count = 64 << 10, 1000 // 64 MB against a queue of 1 MB and a stream window of 4 MB
	c, let := withSlowReplica(t, func(cfg *Config) { cfg.MaxFrame, cfg.QueueBytes = 1<<20, 1<<20 })
	frame := make([]byte, size)
	slowest := time.Duration(0)
	for range count {
		begun := time.Now()
		c.hosts[0].Send(1, frame)
		slowest = max(slowest, time.Since(begun))
	}
	if slowest > progressTimeout/2 {
		t.Fatalf("Send took %v", slowest)
	}
	state := c.hosts[0].Peers()[1]
	if state.Dropped == 0 || state.QueuedBytes > 1<<20 || !state.Connected {
		t.Fatalf("%+v", state)
	}
	close(let)
	kept := count - int(state.Dropped)
	for range kept {
		next(t, c.heard[1].replicas)
	}
	c.hosts[0].Send(1, []byte("last"))
	if got := next(t, c.heard[1].replicas); string(got.frame) != "last" {
		t.Fatalf("%d kept, then a frame of %d bytes", kept, len(got.frame))
	}
	if got := c.hosts[0].Peers()[1].Dropped; got != state.Dropped {
		t.Fatalf("%d dropped after %d", got, state.Dropped)
	}
}

func TestOverflow_FrameAboveTheLimitIsDroppedAndTheStreamLives(t *testing.T) {
	c := startCluster(t, 2, func(cfg *Config) { cfg.MaxFrame = 1 << 10 })
	c.hosts[0].Send(1, make([]byte, 1<<10+1))
	c.hosts[0].Send(1, make([]byte, 1<<10))
	if got := next(t, c.heard[1].replicas); len(got.frame) != 1<<10 {
		t.Fatalf("got %d bytes", len(got.frame))
	}
	if state := c.hosts[0].Peers()[1]; state.Dropped != 1 || !state.Connected {
		t.Fatalf("%+v", state)
	}
}

func TestOverflow_SlowReaderDelaysNobodyElse(t *testing.T) {
	c, _ := withSlowReplica(t, nil)
	frame := make([]byte, 64<<10)
	for range 200 {
		c.hosts[0].Send(1, frame)
	}
	c.hosts[0].Send(2, []byte("to the quick one"))
	if got := next(t, c.heard[2].replicas); string(got.frame) != "to the quick one" {
		t.Fatalf("got %q", got.frame)
	}
	c.hosts[1].Send(0, []byte("the slow one still speaks"))
	if got := next(t, c.heard[0].replicas); got.from != 1 {
		t.Fatalf("from %d", got.from)
	}
	if c.hosts[0].Peers()[1].Queued == 0 {
		t.Fatal("the slow replica was not slow")
	}
}

func TestOverflow_ClientThatDoesNotReadLosesRepliesOnly_C6(t *testing.T) {
	seed := seedOf(100)
	c := startCluster(t, 1, func(cfg *Config) {
		admit(keyOf(seed))(cfg)
		cfg.ClientQueueFrames = 8
	})
	stream := newRawPeer(t, seed, c.members).greeted(t, 0, clientProtocol)
	send(t, stream, 0, 0, 0, 1, '?')
	link := next(t, c.heard[0].clients).link
	reply := make([]byte, 1<<20)
	refused := 0
	for range 64 {
		if !link.Send(reply) {
			refused++
		}
	}
	if refused == 0 || link.Dropped() != uint64(refused) || c.hosts[0].Clients().Dropped != uint64(refused) {
		t.Fatalf("%d refused, %d counted, %+v", refused, link.Dropped(), c.hosts[0].Clients())
	}
	if err := stream.Conn().Close(); err != nil {
		t.Fatal(err)
	}
	if gone := next(t, c.heard[0].gone); gone != link {
		t.Fatal("another link is gone")
	}
}
