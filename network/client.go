package network

import (
	"context"
	"fmt"
	"sync"
)

// ClientHandler receives the frames that replicas send to a client.
type ClientHandler interface {
	// FromReplica receives a frame from the replica with this index, whose key the connection has proved. The frames of
	// one replica come one after the other; a call that blocks stops reading from that replica only.
	FromReplica(from int, frame []byte)
}

// ClientHost is a client's end of the network, with one connection to every replica. Its methods may be called from any
// goroutine.
type ClientHost struct {
	via     *transport
	peers   []*outbound
	changes change
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Dial starts a client's host. It returns at once; the host connects to the replicas, and reconnects, in the background.
func Dial(cfg ClientConfig, handler ClientHandler) (*ClientHost, error) {
	cfg = cfg.withDefaults()
	c := &ClientHost{}
	if err := c.build(cfg, handler); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	for _, peer := range c.peers {
		c.running.Go(func() { peer.run(ctx) })
	}
	return c, nil
}

func (c *ClientHost) build(cfg ClientConfig, handler ClientHandler) error {
	if err := checkBounds(cfg.Greeting, cfg.MaxFrame, cfg.QueueBytes, cfg.QueueFrames); err != nil {
		return err
	}
	own, err := newClientIdentity(&cfg)
	if err != nil {
		return err
	}
	members, err := resolveMembers(cfg.Members, -1)
	if err != nil {
		return err
	}
	limits, err := newResourceManager(members, 0, 1)
	if err != nil {
		return err
	}
	c.via, err = newTransport(own, newGater(own.id, members, nil), limits)
	if err != nil {
		return err
	}
	greet := newGreetings(cfg.Greeting, nil, cfg.OnMismatch, cfg.Logger)
	proto := clientProtocol
	if cfg.AskOnly {
		proto = askProtocol
	}
	for _, m := range members {
		c.peers = append(c.peers, &outbound{
			to: m, proto: proto, via: c.via, greet: greet, log: cfg.Logger, changed: c.changes.announce,
			opening: cfg.Opening, maxFrame: cfg.MaxFrame, frames: cfg.QueueFrames, bytes: cfg.QueueBytes,
			chunk:   chunkSize,
			deliver: func(frame []byte) { handler.FromReplica(m.index, frame) },
			wake:    make(chan struct{}, 1),
		})
	}
	return nil
}

// Send queues a frame for a replica and reports whether the frame was queued. It is not if the replica is not connected, its
// queue is full, or the frame is longer than MaxFrame. Send never blocks. The frame must not be changed afterwards.
func (c *ClientHost) Send(to int, frame []byte) bool { return c.peers[to].send(frame) }

// Open replaces [ClientConfig.Opening]: the frame is sent at once to every connected replica, and first on every later
// connection. The frame must not be changed afterwards.
func (c *ClientHost) Open(frame []byte) {
	for _, peer := range c.peers {
		peer.open(frame)
	}
}

// Connected says for every replica whether it is connected.
func (c *ClientHost) Connected() []bool {
	up := make([]bool, len(c.peers))
	for i, peer := range c.peers {
		up[i] = peer.connected()
	}
	return up
}

// Peers reports on the link with every replica, by index.
func (c *ClientHost) Peers() []PeerState {
	states := make([]PeerState, len(c.peers))
	for i, peer := range c.peers {
		states[i] = peer.state()
		states[i].Inbound = states[i].Connected
	}
	return states
}

// WaitConnected waits until at least k replicas are connected. Its error says what is known about the replicas that are
// not connected.
func (c *ClientHost) WaitConnected(ctx context.Context, k int) error {
	return waitConnected(ctx, &c.changes, c.peers, k)
}

// Close ends every connection and waits until no handler runs. Queued frames are not sent.
func (c *ClientHost) Close() error {
	c.cancel()
	err := c.via.close()
	c.running.Wait()
	if err != nil {
		return fmt.Errorf("network: close: %w", err)
	}
	return nil
}
