package network

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"
)

// Handler receives what arrives at a replica. There is one sequence of calls for the small frames of each replica, one
// for its bulk frames, and one for the frames of each client link. Each sequence is in order, on a goroutine of its own.
// A call that blocks stops only the reading of its own sequence. A frame belongs to the handler. Once [Host.Close] has
// been called no call may block for ever, because Close waits for them.
type Handler interface {
	// FromReplica receives a frame that the member with this index sent, whose key the connection has proved. Two calls
	// for one member may run at the same time: one with a frame shorter than [BulkBytes] and one with a longer one.
	FromReplica(from int, frame []byte)
	// FromClient receives a frame that a registered client sent.
	FromClient(from *ClientLink, frame []byte)
	// ClientGone is the last call for a link. It is made even if FromClient was never called.
	ClientGone(from *ClientLink)
}

// Host is a replica's end of the network. Its methods may be called from any goroutine.
type Host struct {
	cfg     Config
	handler Handler
	log     *slog.Logger
	gate    *gater
	greet   *greetings
	via     *transport
	offered *multistream.MultistreamMuxer[protocol.ID]

	peers   []*link // by replica index; the one at this replica's own index is never run
	clients *clientLinks
	askers  *clientLinks
	own     twins // whether other replicas report a second process under this replica's key
	changes change

	ctx     context.Context
	cancel  context.CancelFunc
	mu      sync.Mutex // makes enter and Close's Wait exclude each other
	running sync.WaitGroup
}

// Listen starts a replica's host: it listens on every address of cfg, and connects to the other members in the
// background. Calls to handler may begin before Listen returns.
func Listen(cfg Config, handler Handler) (*Host, error) {
	h, err := newHost(cfg.withDefaults(), handler)
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	h.via.SetStreamHandler(h.accept)
	if err := h.via.listen(h.ctx, h.cfg.Listen); err != nil {
		_ = h.Close() // the error of listen matters more
		return nil, fmt.Errorf("network: %w", err)
	}
	for i, peer := range h.peers {
		if i != h.cfg.Self {
			for _, out := range peer.out {
				h.running.Go(func() { out.run(h.ctx) })
			}
		}
	}
	return h, nil
}

func newHost(cfg Config, handler Handler) (*Host, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	own, err := newIdentity(cfg.Seed)
	if err != nil {
		return nil, err
	}
	if own.key != cfg.Members[cfg.Self].Key {
		return nil, fmt.Errorf("the own key is not that of replica %d in the member list", cfg.Self)
	}
	members, err := resolveMembers(cfg.Members, cfg.Self)
	if err != nil {
		return nil, err
	}
	limits, err := newResourceManager(members, cfg.MaxClients, cfg.MaxLinksPerClient)
	if err != nil {
		return nil, err
	}
	gate := newGater(own.id, members, cfg.AllowClient)
	via, err := newTransport(own, gate, limits)
	if err != nil {
		return nil, err
	}
	h := &Host{
		cfg: cfg, handler: handler, log: cfg.Logger, gate: gate, via: via,
		greet:   newGreetings(cfg.PeerGreeting, cfg.Differ, cfg.OnMismatch, cfg.Logger),
		offered: multistream.NewMultistreamMuxer[protocol.ID](),
		clients: newClientLinks(cfg.MaxClients, cfg.MaxLinksPerClient),
		askers:  newClientLinks(maxAskers, maxAskersPerKey),
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	via.Notify(&network.NotifyBundle{DisconnectedF: func(_ network.Network, conn network.Conn) {
		h.clients.lost(conn)
		h.askers.lost(conn)
	}})
	for _, proto := range []protocol.ID{
		replicaProtocol, bulkProtocol, replicaProtocol1, bulkProtocol1, clientProtocol, askProtocol,
	} {
		h.offered.AddHandler(proto, nil)
	}
	for _, m := range members {
		h.peers = append(h.peers, h.newLink(m))
	}
	return h, nil
}

// enter registers a goroutine for which Close must wait; false once the host is closing.
func (h *Host) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return false
	}
	h.running.Add(1)
	return true
}

// Send queues a frame for a replica. A frame of [BulkBytes] or more waits only behind others of that length, so that it
// delays no shorter one. Send never blocks: it drops and counts a frame that finds no room, is longer than MaxFrame, or
// whose replica is not connected (the own index never is). The frame must not be changed afterwards; the same slice may
// be sent to several replicas.
func (h *Host) Send(to int, frame []byte) { h.peers[to].send(frame) }

// Peers reports on the link with every replica, by index; the entry at the own index is empty.
func (h *Host) Peers() []PeerState {
	states := make([]PeerState, len(h.peers))
	for i, peer := range h.peers {
		states[i] = peer.state()
	}
	return states
}

// Clients sums up the client links.
func (h *Host) Clients() ClientState { return h.clients.state() }

// WaitConnected waits until this host can send to at least k other replicas, in both lanes.
func (h *Host) WaitConnected(ctx context.Context, k int) error {
	return waitConnected(ctx, &h.changes, h.peers, k)
}

// Addrs are the addresses on which this host listens, with the actual ports in place of port 0.
func (h *Host) Addrs() []string { return texts(h.via.ListenAddresses()) }

// Drop ends the streams on which a replica sends, because it sent something that is not a message. The replica may
// connect again.
func (h *Host) Drop(from int) {
	for i := range h.peers[from].in {
		h.peers[from].in[i].replace(nil)
	}
}

// Close ends every stream and waits until no handler runs. Queued frames are not sent.
func (h *Host) Close() error {
	h.mu.Lock()
	h.cancel()
	h.mu.Unlock()
	err := h.via.close()
	h.running.Wait()
	if err != nil {
		return fmt.Errorf("network: close: %w", err)
	}
	return nil
}

func texts(addrs []ma.Multiaddr) []string {
	out := make([]string, len(addrs))
	for i, addr := range addrs {
		out[i] = addr.String()
	}
	return out
}
