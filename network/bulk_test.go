package network

import (
	"bytes"
	"testing"
)

// stuckOnBulk is a Handler that blocks in FromReplica on each large frame until the test lets it continue.
type stuckOnBulk struct {
	*recorder
	reached chan struct{} // one token for each large frame that began to be handled
	let     chan struct{}
}

func (s *stuckOnBulk) FromReplica(from int, frame []byte) {
	if len(frame) >= BulkBytes {
		s.reached <- struct{}{}
		select {
		case <-s.let:
		case <-s.stop:
		}
	}
	s.recorder.FromReplica(from, frame)
}

func TestBulk_DelaysNoSmallFrame(t *testing.T) { overEach(t, bulkDelaysNoSmallFrame) }

// The reader blocks on the first large frame, so the second one, of 16 MiB, stays half sent. Small frames pass both.
// Large frames that are sent later wait.
func bulkDelaysNoSmallFrame(t *testing.T) {
	members := freeMembers(t, 2)
	sender := startHost(t, configOf(members, 0), newRecorder())
	reader := &stuckOnBulk{recorder: newRecorder(), reached: make(chan struct{}, 4), let: make(chan struct{})}
	host, err := Listen(configOf(members, 1), reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		reader.quiet()
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := sender.WaitConnected(within(t), 1); err != nil {
		t.Fatal(err)
	}
	first, second := bytes.Repeat([]byte{1}, BulkBytes), bytes.Repeat([]byte{2}, 16<<20)
	sender.Send(1, first)
	sender.Send(1, second)
	next(t, reader.reached)
	const frames = 1000
	for i := range frames {
		sender.Send(1, []byte{byte(i), byte(i >> 8)})
	}
	for i := range frames {
		if got := next(t, reader.replicas).frame; !bytes.Equal(got, []byte{byte(i), byte(i >> 8)}) {
			t.Fatalf("frame %d: got %d bytes", i, len(got))
		}
	}
	state := sender.Peers()[1]
	if state.Bulk.Queued == 0 || state.Bulk.QueuedBytes < len(second) || state.Received != 0 {
		t.Fatalf("the large frame should be under way: %+v", state)
	}
	close(reader.let)
	for _, want := range [][]byte{first, second} {
		if got := next(t, reader.replicas).frame; !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes, want %d", len(got), len(want))
		}
	}
	eventually(t, "all is counted", func() bool {
		s := sender.Peers()[1]
		return s.Sent == frames+2 && s.Bulk.Sent == 2 && s.Queued == 0
	})
	if got := host.Peers()[0]; got.Received != frames+2 || got.Bulk.Received != 2 {
		t.Fatalf("received: %+v", got)
	}
}

func TestBulk_LengthDecides(t *testing.T) {
	c := startCluster(t, 2, nil)
	for i, size := range []int{BulkBytes - 1, BulkBytes} {
		c.hosts[0].Send(1, make([]byte, size))
		next(t, c.heard[1].replicas)
		eventually(t, "the frame is counted", func() bool { return c.hosts[0].Peers()[1].Sent == uint64(i+1) })
		if got := c.hosts[0].Peers()[1].Bulk.Sent; got != uint64(i) {
			t.Errorf("a frame of %d bytes: %d sent as bulk, want %d", size, got, i)
		}
	}
}

func TestBulk_LinkIsUpWhenBothLanesAre(t *testing.T) {
	host, _, peer := lonely(t, nil)
	peer.greeted(t, 0, replicaProtocol)
	eventually(t, "the lane of votes is up", func() bool { return host.peers[1].in[votes].up() })
	if host.Peers()[1].Inbound {
		t.Fatal("up with one lane")
	}
	second := peer.greeted(t, 0, bulkProtocol)
	eventually(t, "both are up", func() bool { return host.Peers()[1].Inbound })
	host.Drop(1)
	ends(t, second)
	eventually(t, "a member that is dropped loses both", func() bool { return !host.peers[1].in[votes].up() })
}
