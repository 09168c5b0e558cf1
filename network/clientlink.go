package network

import (
	"context"
	"fmt"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
)

// ClientLink is one connection of a client. Several clients with the same key may be connected at once.
type ClientLink struct {
	key      [32]byte
	stream   network.Stream
	queue    *queue
	maxFrame int
	counters counters
	total    *counters // counters of the host over all its client links
	asks     bool

	ctx  context.Context
	gone context.CancelFunc
}

func newClientLink(stream network.Stream, key [32]byte, cfg *Config, among *clientLinks, asks bool) *ClientLink {
	l := &ClientLink{
		key: key, stream: stream, maxFrame: cfg.MaxClientFrame, total: &among.total, asks: asks,
		queue: newQueue(cfg.ClientQueueFrames, cfg.ClientQueueBytes),
	}
	l.ctx, l.gone = context.WithCancel(context.Background())
	return l
}

// Context ends when the client's connection does, even while the handler is busy with a frame and reads no other one.
// Work that is done for this client alone can then stop.
func (l *ClientLink) Context() context.Context { return l.ctx }

// Send queues a frame and reports whether it was queued. It never blocks: if the queue is full, the frame is dropped and
// counted. A client that reads nothing at all for ten seconds is disconnected. The frame must not be changed afterwards.
func (l *ClientLink) Send(frame []byte) bool {
	if len(frame) <= l.maxFrame && l.queue.push(frame) {
		return true
	}
	l.counters.dropped.Add(1)
	l.total.dropped.Add(1)
	return false
}

// Key is the client's ed25519 public key, which the connection has proved.
func (l *ClientLink) Key() [32]byte { return l.key }

// AsksOnly reports whether the client opened the link only to ask the replica about itself, with
// [ClientConfig.AskOnly]. Anything else that arrives over the link must not be served.
func (l *ClientLink) AsksOnly() bool { return l.asks }

// Dropped is the number of frames that Send refused.
func (l *ClientLink) Dropped() uint64 { return l.counters.dropped.Load() }

// Close disconnects the client; the host then calls [Handler.ClientGone].
func (l *ClientLink) Close() { _ = l.stream.Conn().Close() }

// ClientState sums up the client links of a host, including those that have ended.
type ClientState struct {
	Links                   int    // connected now
	Refused                 uint64 // links that were refused for lack of room
	Sent, Received, Dropped uint64 // frames
}

// clientLinks is the bounded set of a host's client links.
type clientLinks struct {
	maxAll, maxPerKey int
	total             counters

	mu      sync.Mutex
	all     map[*ClientLink]struct{}
	byKey   map[[32]byte]int
	refused uint64
}

// Bounds of the links that only ask. They are small, so that these links offer no way around the bounds of the others.
const (
	maxAskers       = 64
	maxAskersPerKey = 4
)

func newClientLinks(maxAll, maxPerKey int) *clientLinks {
	return &clientLinks{
		maxAll: maxAll, maxPerKey: maxPerKey,
		all: make(map[*ClientLink]struct{}), byKey: make(map[[32]byte]int),
	}
}

// add adds a link. If there is no room for it, the error tells the client why.
func (c *clientLinks) add(l *ClientLink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.byKey[l.key] >= c.maxPerKey:
		c.refused++
		return fmt.Errorf("too many connections under this client key, %d; close some, use another key, or raise "+
			"max_links_per_client in the replicas' config.toml", c.maxPerKey)
	case len(c.all) >= c.maxAll:
		c.refused++
		return fmt.Errorf("too many client connections, %d; close some, or raise max_clients in the replicas' config.toml", c.maxAll)
	}
	c.all[l] = struct{}{}
	c.byKey[l.key]++
	return nil
}

// lost ends the contexts of all links of a connection that has ended.
func (c *clientLinks) lost(conn network.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for l := range c.all {
		if l.stream.Conn() == conn {
			l.gone()
		}
	}
}

// remove removes a link and reports whether it was the last one of its key.
func (c *clientLinks) remove(l *ClientLink) (last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.all, l)
	c.total.sent.Add(l.counters.sent.Load())
	c.total.received.Add(l.counters.received.Load())
	if c.byKey[l.key]--; c.byKey[l.key] > 0 {
		return false
	}
	delete(c.byKey, l.key)
	return true
}

func (c *clientLinks) state() ClientState {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := ClientState{
		Links: len(c.all), Refused: c.refused,
		Sent: c.total.sent.Load(), Received: c.total.received.Load(), Dropped: c.total.dropped.Load(),
	}
	for l := range c.all {
		s.Sent += l.counters.sent.Load()
		s.Received += l.counters.received.Load()
	}
	return s
}
