package network

import (
	"context"
	"fmt"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// inbound is the stream of one lane that one member sends on. At most one is read at a time: a newer one ends the older,
// then waits until the frame that is being handled is done, so that the handler sees the frames of one lane one after the
// other.
type inbound struct {
	reading sync.Mutex

	mu      sync.Mutex
	current network.Stream
}

// replace makes stream the current one and ends the one before.
func (in *inbound) replace(stream network.Stream) {
	in.mu.Lock()
	old := in.current
	in.current = stream
	in.mu.Unlock()
	if old != nil {
		_ = old.Reset()
	}
}

// leave forgets stream unless a newer one has taken its place.
func (in *inbound) leave(stream network.Stream) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.current == stream {
		in.current = nil
	}
}

func (in *inbound) up() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.current != nil
}

// accept serves a stream that a peer has opened, on the goroutine that the swarm gave it.
func (h *Host) accept(stream network.Stream) {
	if !h.enter() {
		_ = stream.Reset()
		return
	}
	defer h.running.Done()
	stop := context.AfterFunc(h.ctx, func() { _ = stream.Reset() })
	defer stop()

	if h.crowded(stream.Conn()) {
		_ = stream.Conn().Close()
		h.log.Debug("connection with too many streams ended", "peer", stream.Conn().RemotePeer().String())
		return
	}
	proto, err := accept(stream, h.offered)
	if err == nil {
		err = h.dispatch(stream, proto)
	}
	if err != nil {
		h.log.Debug("inbound stream ended", "peer", stream.Conn().RemotePeer().String(), "err", err)
	}
}

// crowded reports whether a peer has opened more streams on a connection than it has use for: a member one in each lane,
// and as many again that replace them; a client one. To refuse single streams would cost us as much as it costs him, and
// nothing would make him stop.
func (h *Host) crowded(conn network.Conn) bool {
	useful := 1
	if _, member := h.gate.members[conn.RemotePeer()]; member {
		useful = 2 * int(lanes)
	}
	opened := 0
	for _, s := range conn.GetStreams() {
		if s.Stat().Direction == network.DirInbound {
			opened++
		}
	}
	return opened > useful
}

// dispatch hands a stream to its protocol's server. A member's key is no client's, and only members speak those of
// replicas: whoever mixes them up loses the connection.
func (h *Host) dispatch(stream network.Stream, proto protocol.ID) error {
	from, member := h.gate.members[stream.Conn().RemotePeer()]
	switch {
	case proto == replicaProtocol && member:
		return h.serveReplica(stream, from, votes)
	case proto == bulkProtocol && member:
		return h.serveReplica(stream, from, bulk)
	case proto == clientProtocol && !member:
		return h.serveClient(stream)
	}
	_ = stream.Conn().Close()
	return fmt.Errorf("%s refused to this key", proto)
}

func (h *Host) serveReplica(stream network.Stream, from int, on lane) error {
	peer := h.peers[from]
	if err := h.greet.exchange(stream, peer.out[on].to); err != nil {
		_ = stream.Close() // gently: the member must be able to read our greeting
		return err
	}
	in := &peer.in[on]
	in.replace(stream)
	defer in.leave(stream)
	peer.redial()

	in.reading.Lock()
	defer in.reading.Unlock()
	err := readFrames(stream, h.cfg.MaxFrame, func(frame []byte) {
		peer.out[on].received.Add(1)
		h.handler.FromReplica(from, frame)
	})
	_ = stream.Reset()
	return err
}

func (h *Host) serveClient(stream network.Stream) error {
	conn := stream.Conn()
	defer func() { _ = conn.Close() }() // one stream a connection: without it the connection is of no use
	key, ok := keyOfID(conn.RemotePeer())
	if !ok {
		return fmt.Errorf("client %s has no ed25519 key", conn.RemotePeer())
	}
	if _, err := exchangeGreeting(stream, h.cfg.Greeting); err != nil {
		return waitForEnd(stream, err)
	}
	link := &ClientLink{
		key: key, stream: stream, maxFrame: h.cfg.MaxClientFrame, total: &h.clients.total,
		queue: newQueue(h.cfg.ClientQueueFrames, h.cfg.ClientQueueBytes),
	}
	if !h.clients.add(link) {
		return fmt.Errorf("client %x: no room for another link", key[:4])
	}
	d := duplex{
		stream: stream, queue: link.queue, limit: h.cfg.MaxClientFrame, chunk: chunkSize, counters: &link.counters,
		deliver: func(frame []byte) { h.handler.FromClient(link, frame) },
	}
	err := d.serve()
	h.clients.total.dropped.Add(uint64(link.queue.close()))
	if last := h.clients.remove(link); last {
		h.via.store.RemovePeer(conn.RemotePeer()) // a key that never returns must not be remembered for ever
	}
	h.handler.ClientGone(link)
	return err
}

// waitForEnd lets a client read our greeting before its connection is closed; the deadline of accept still holds.
func waitForEnd(stream network.Stream, err error) error {
	_ = stream.CloseWrite()
	_, _ = stream.Read(make([]byte, 1))
	return err
}
