package network

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// change wakes every goroutine that waits for connections to come or go.
type change struct {
	mu   sync.Mutex
	next chan struct{} // closed at the next change; nil while nobody waits
}

func (c *change) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

// wait returns a channel that is closed at the next change. A caller must call it before it looks at what may change,
// so that it misses no change.
func (c *change) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.next
}

// awaited is the link with a peer for which a host or a client waits.
type awaited interface {
	connected() bool
	state() PeerState
}

func waitConnected[P awaited](ctx context.Context, c *change, peers []P, k int) error {
	for {
		next := c.wait()
		up := 0
		for _, peer := range peers {
			if peer.connected() {
				up++
			}
		}
		if up >= k {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("connected to %d of %d replicas, %d needed%s: %w",
				up, len(peers), k, reasons(peers), ctx.Err())
		}
	}
}

// reasons lists the known reasons why replicas are not connected.
func reasons[P awaited](peers []P) string {
	var list strings.Builder
	for _, peer := range peers {
		if why := peer.state().LastError; why != "" {
			list.WriteString("; " + why)
		}
	}
	return list.String()
}
