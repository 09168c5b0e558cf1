package network

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
)

// ClientLink is one connection of a client. A client identity may have several at once.
type ClientLink struct {
	key      [32]byte
	stream   network.Stream
	queue    *queue
	maxFrame int
	counters counters
	total    *counters // of the host
}

// Send queues a frame and reports whether it was taken. It never blocks: when the queue is full the frame is dropped
// and counted, and a client that takes nothing at all for ten seconds is disconnected. The frame must not be changed
// afterwards.
func (l *ClientLink) Send(frame []byte) bool {
	if len(frame) <= l.maxFrame && l.queue.push(frame) {
		return true
	}
	l.counters.dropped.Add(1)
	l.total.dropped.Add(1)
	return false
}

// Key is the client's ed25519 public key, proved by the connection.
func (l *ClientLink) Key() [32]byte { return l.key }

// Dropped is the number of frames that Send refused.
func (l *ClientLink) Dropped() uint64 { return l.counters.dropped.Load() }

// Close disconnects the client; [Handler.ClientGone] follows.
func (l *ClientLink) Close() { _ = l.stream.Conn().Close() }

// ClientState sums up the client links of a host, those that have ended included.
type ClientState struct {
	Links                   int // connected now
	Sent, Received, Dropped uint64
}

// clientLinks is the bounded set of the links of a host.
type clientLinks struct {
	maxAll, maxPerKey int
	total             counters

	mu    sync.Mutex
	all   map[*ClientLink]struct{}
	byKey map[[32]byte]int
}

func newClientLinks(maxAll, maxPerKey int) *clientLinks {
	return &clientLinks{
		maxAll: maxAll, maxPerKey: maxPerKey,
		all: make(map[*ClientLink]struct{}), byKey: make(map[[32]byte]int),
	}
}

// add reports whether there was room for the link.
func (c *clientLinks) add(l *ClientLink) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) >= c.maxAll || c.byKey[l.key] >= c.maxPerKey {
		return false
	}
	c.all[l] = struct{}{}
	c.byKey[l.key]++
	return true
}

// remove reports whether the key has no link left.
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
		Links: len(c.all),
		Sent:  c.total.sent.Load(), Received: c.total.received.Load(), Dropped: c.total.dropped.Load(),
	}
	for l := range c.all {
		s.Sent += l.counters.sent.Load()
		s.Received += l.counters.received.Load()
	}
	return s
}
