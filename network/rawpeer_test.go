package network

import (
	"context"
	"io"
	"log/slog"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// rawPeer is a libp2p peer that need not follow any rule of this package.
type rawPeer struct {
	*transport
	members []remote
	process processID
}

func newRawPeer(t testing.TB, seed [32]byte, members []Member) *rawPeer {
	t.Helper()
	own, err := newIdentity(seed)
	if err != nil {
		t.Fatal(err)
	}
	remotes, err := resolveMembers(members, -1)
	if err != nil {
		t.Fatal(err)
	}
	limits := &network.NullResourceManager{}
	via, err := newTransport(own, newGater(own.id, remotes, nil), limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := via.close(); err != nil {
			t.Error(err)
		}
	})
	return &rawPeer{transport: via, members: remotes, process: newProcessID()}
}

// reach connects and opens a stream.
func (r *rawPeer) reach(ctx context.Context, to remote, proto protocol.ID) (network.Stream, error) {
	if err := r.connect(ctx, to); err != nil {
		return nil, err
	}
	return r.open(ctx, to, proto)
}

// greeted opens a stream to replica to and exchanges greetings.
func (r *rawPeer) greeted(t testing.TB, to int, proto protocol.ID) network.Stream {
	t.Helper()
	stream, err := r.reach(within(t), r.members[to], proto)
	if err != nil {
		t.Fatal(err)
	}
	greet := newGreetings([]byte("cluster"), nil, nil, slog.New(slog.DiscardHandler))
	if _, between := laneOf[proto]; between && olderProtocol[proto] != "" {
		greet.self = r.process
		_, err = greet.open(stream, r.members[to])
	} else {
		err = greet.exchange(stream, r.members[to])
	}
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func send(t testing.TB, w io.Writer, wire ...byte) {
	t.Helper()
	if _, err := w.Write(wire); err != nil {
		t.Fatal(err)
	}
}

// ends waits until the other side has ended the stream.
func ends(t testing.TB, stream network.Stream) {
	t.Helper()
	deadline, _ := within(t).Deadline()
	if err := stream.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	_, err := stream.Read(make([]byte, 1))
	if timeout, ok := err.(interface{ Timeout() bool }); err == nil || ok && timeout.Timeout() {
		t.Fatalf("the stream goes on: %v", err)
	}
}
