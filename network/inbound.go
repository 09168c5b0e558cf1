package network

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// inbound is the stream on which one member sends in one lane. Only one such stream is read at a time. A newer stream
// ends the older one, then waits until the frame that is being handled is done, so that the handler gets the frames of
// a lane one after the other.
type inbound struct {
	reading sync.Mutex

	mu      sync.Mutex
	current network.Stream
}

// replace makes stream the current one and ends the previous one.
func (in *inbound) replace(stream network.Stream) {
	in.mu.Lock()
	old := in.current
	in.current = stream
	in.mu.Unlock()
	if old != nil {
		_ = old.Reset()
	}
}

// leave forgets stream, unless a newer one has replaced it.
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

// accept serves a stream that a peer opened, on the goroutine that the swarm started for it.
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

// crowded reports whether a peer has opened more streams on a connection than it can use. A member can use one in each
// lane, and as many again that replace them; a client can use one. The whole connection is then closed: refusing single
// streams would cost this host as much as the peer, and would not stop it.
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

// dispatch passes a stream to the server of its protocol. Members may only open streams of replicas, and clients only
// those of clients; any other stream costs its peer the connection.
func (h *Host) dispatch(stream network.Stream, proto protocol.ID) error {
	from, member := h.gate.members[stream.Conn().RemotePeer()]
	on, between := laneOf[proto]
	switch {
	case between && member:
		return h.serveReplica(stream, from, on)
	case proto == clientProtocol && !member:
		return h.serveClient(stream, h.clients)
	case proto == askProtocol && !member:
		return h.serveClient(stream, h.askers)
	}
	_ = stream.Conn().Close()
	return fmt.Errorf("%s refused to this key", proto)
}

func (h *Host) serveReplica(stream network.Stream, from int, on lane) error {
	peer := h.peers[from]
	in := &peer.in[on]
	letGo, err := h.welcome(stream, peer, on)
	if err != nil {
		_ = stream.Close() // the stream is not reset, so that the member can read our greeting
		return err
	}
	defer letGo()
	in.replace(stream)
	defer in.leave(stream)
	peer.redial()

	in.reading.Lock()
	defer in.reading.Unlock()
	err = readFrames(stream, h.cfg.MaxFrame, func(frame []byte) {
		peer.out[on].received.Add(1)
		h.handler.FromReplica(from, frame)
	})
	_ = stream.Reset()
	return err
}

// welcome exchanges greetings with a member that opened a stream in a lane. It refuses the member if another process
// under the same key is connected.
func (h *Host) welcome(stream network.Stream, peer *link, on lane) (letGo func(), err error) {
	to := peer.out[on].to
	if _, newer := olderProtocol[stream.Protocol()]; !newer {
		return func() {}, h.greet.exchange(stream, to)
	}
	var who processID
	var told verdict
	err = h.greet.answer(stream, to, func(id processID) verdict {
		who, told = id, peer.twins.admit(id, peer.out[votes].received.Load(), time.Now())
		return told
	})
	h.sayTwice(peer, to, time.Now())
	if err != nil || on != votes {
		return func() {}, err
	}
	peer.twins.hold(who, told)
	return func() { peer.twins.letGo(who) }, nil
}

func (h *Host) serveClient(stream network.Stream, among *clientLinks) error {
	conn := stream.Conn()
	defer func() { _ = conn.Close() }() // each client connection has one stream, and is of no use without it
	key, ok := keyOfID(conn.RemotePeer())
	if !ok {
		return fmt.Errorf("client %s has no ed25519 key", conn.RemotePeer())
	}
	link := newClientLink(stream, key, &h.cfg, among, among == h.askers)
	defer link.gone()
	if err := among.add(link); err != nil {
		// If the client does not read it, it only misses the reason.
		_, _ = stream.Write(asFrame([]byte(refusal + err.Error())))
		return waitForEnd(stream, fmt.Errorf("client %x: %w", key[:4], err))
	}
	if _, err := exchangeGreeting(stream, h.cfg.Greeting); err != nil {
		among.remove(link)
		return waitForEnd(stream, err)
	}
	if conn.IsClosed() { // the connection may have ended before lost could find the link
		link.gone()
	}
	d := duplex{
		stream: stream, queue: link.queue, limit: h.cfg.MaxClientFrame, chunk: chunkSize, counters: &link.counters,
		deliver: func(frame []byte) { h.handler.FromClient(link, frame) },
	}
	err := d.serve()
	among.total.dropped.Add(uint64(link.queue.close()))
	if last := among.remove(link); last {
		h.via.store.RemovePeer(conn.RemotePeer()) // forget the key, which may never return
	}
	h.handler.ClientGone(link)
	return err
}

// waitForEnd lets a client read the refusal before its connection is closed; the deadline set by accept still applies.
// It reads and drops what the client sends meanwhile: closing a connection with unread bytes would reset it, and the
// refusal would be lost.
func waitForEnd(stream network.Stream, err error) error {
	_ = stream.CloseWrite()
	_, _ = io.Copy(io.Discard, io.LimitReader(stream, maxUnread))
	return err
}

// maxUnread is how many bytes of a refused client are read so that it can read the reason.
const maxUnread = 64 << 10
