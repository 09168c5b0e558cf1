package network

import (
	"runtime"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
)

// lonely is a running replica 0 of two, and a raw peer that holds the key of replica 1.
func lonely(t *testing.T, adjust func(*Config)) (*Host, *recorder, *rawPeer) {
	t.Helper()
	members := freeMembers(t, 2)
	cfg := configOf(members, 0)
	if adjust != nil {
		adjust(&cfg)
	}
	heard := newRecorder()
	return startHost(t, cfg, heard), heard, newRawPeer(t, seedOf(1), members)
}

func TestHostile_FourGiBLengthEndsTheStreamWithoutMemory_S4(t *testing.T) {
	overEach(t, hostileFourGiBLengthEndsTheStreamWithoutMemoryS4)
}

func hostileFourGiBLengthEndsTheStreamWithoutMemoryS4(t *testing.T) {
	host, heard, peer := lonely(t, nil)
	stream := peer.greeted(t, 0, replicaProtocol)
	send(t, stream, 0, 0, 0, 2, 'o', 'k')
	next(t, heard.replicas)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	send(t, stream, 0xff, 0xff, 0xff, 0xff, 'x')
	ends(t, stream)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Fatalf("%d bytes allocated", grown)
	}
	eventually(t, "the stream is forgotten", func() bool { return !host.peers[1].in[votes].up() })

	again := peer.greeted(t, 0, replicaProtocol)
	send(t, again, 0, 0, 0, 1, 'y')
	if got := next(t, heard.replicas); string(got.frame) != "y" {
		t.Fatalf("got %q", got.frame)
	}
}

func TestHostile_TruncatedFrameIsNeverDelivered_S4(t *testing.T) {
	overEach(t, hostileTruncatedFrameIsNeverDeliveredS4)
}

func hostileTruncatedFrameIsNeverDeliveredS4(t *testing.T) {
	host, heard, peer := lonely(t, nil)
	stream := peer.greeted(t, 0, replicaProtocol)
	send(t, stream, 0, 0, 0, 1, 'a', 0, 0, 0, 9, 'b')
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	ends(t, stream)
	eventually(t, "the stream is forgotten", func() bool { return !host.peers[1].in[votes].up() })
	if got := next(t, heard.replicas); string(got.frame) != "a" {
		t.Fatalf("got %q", got.frame)
	}
	if got := host.Peers()[1].Received; got != 1 {
		t.Fatalf("%d frames received, want 1", got)
	}
}

func TestHostile_ClientFramesHaveTheirOwnSmallerLimit_S4(t *testing.T) {
	client := seedOf(100)
	members := freeMembers(t, 1)
	cfg := configOf(members, 0)
	admit(keyOf(client))(&cfg)
	cfg.MaxFrame, cfg.MaxClientFrame = 1<<20, 16
	heard := newRecorder()
	startHost(t, cfg, heard)

	stream := newRawPeer(t, client, members).greeted(t, 0, clientProtocol)
	send(t, stream, 0, 0, 0, 17)
	ends(t, stream)
	next(t, heard.gone)
}

func TestHostile_SecondStreamOfAMemberReplacesTheFirst(t *testing.T) {
	overEach(t, hostileSecondStreamOfAMemberReplacesTheFirst)
}

func hostileSecondStreamOfAMemberReplacesTheFirst(t *testing.T) {
	_, heard, peer := lonely(t, nil)
	first := peer.greeted(t, 0, replicaProtocol)
	send(t, first, 0, 0, 0, 1, '1')
	next(t, heard.replicas)
	second := peer.greeted(t, 0, replicaProtocol)
	ends(t, first)
	send(t, second, 0, 0, 0, 1, '2')
	if got := next(t, heard.replicas); string(got.frame) != "2" {
		t.Fatalf("got %q", got.frame)
	}
}

func TestHostile_StreamsOfOnePeerAreBounded_I14(t *testing.T) {
	overEach(t, hostileStreamsOfOnePeerAreBoundedI14)
}

func hostileStreamsOfOnePeerAreBoundedI14(t *testing.T) {
	_, heard, peer := lonely(t, nil)
	if err := peer.connect(within(t), peer.members[0]); err != nil {
		t.Fatal(err)
	}
	conn := peer.ConnsToPeer(peer.members[0].id)[0]
	if served := openUntilRefused(t, conn, 4*memberStreams); served == 0 || served > 2*int(lanes) {
		t.Errorf("a member was served %d streams on one connection, at most %d are of use", served, 2*int(lanes))
	}
	eventually(t, "the connection is ended", conn.IsClosed)

	stream := peer.greeted(t, 0, replicaProtocol) // over another one
	send(t, stream, 0, 0, 0, 1, 'y')
	if got := next(t, heard.replicas); string(got.frame) != "y" {
		t.Fatalf("got %q", got.frame)
	}
}

// openUntilRefused begins negotiations on one stream after the other, and returns how many were answered.
func openUntilRefused(t *testing.T, conn network.Conn, most int) (served int) {
	t.Helper()
	deadline, _ := within(t).Deadline()
	for range most {
		stream, err := conn.NewStream(within(t))
		if err != nil {
			return served
		}
		if err := stream.SetDeadline(deadline); err != nil {
			return served
		}
		// Over QUIC a stream becomes visible to the peer with its first bytes.
		_, _ = stream.Write([]byte("\x13/multistream/1.0.0\n"))
		// A peer that accepts a stream sends a line first. If it refuses the stream, the read returns an error.
		if _, err := stream.Read(make([]byte, 1)); err != nil {
			return served
		}
		served++
	}
	return served
}

func TestHostile_AClientHasOneStreamAConnection_I14(t *testing.T) {
	overEach(t, hostileAClientHasOneStreamAConnectionI14)
}

func hostileAClientHasOneStreamAConnectionI14(t *testing.T) {
	client := seedOf(100)
	members := freeMembers(t, 1)
	cfg := configOf(members, 0)
	admit(keyOf(client))(&cfg)
	startHost(t, cfg, newRecorder())
	peer := newRawPeer(t, client, members)
	first := peer.greeted(t, 0, clientProtocol)
	if served := openUntilRefused(t, first.Conn(), 4); served != 0 {
		t.Errorf("%d more were served", served)
	}
	eventually(t, "the connection is ended", first.Conn().IsClosed)
}

func TestHostile_DropEndsTheStreamOfAPeerThatSentNoMessage(t *testing.T) {
	host, heard, peer := lonely(t, nil)
	stream := peer.greeted(t, 0, replicaProtocol)
	send(t, stream, 0, 0, 0, 1, '?')
	host.Drop(next(t, heard.replicas).from)
	ends(t, stream)
}
