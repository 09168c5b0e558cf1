package node

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"tagma/pbft/wire"
)

// mailbox holds verified messages for a goroutine that must not hold up those who read the network. Each sender has
// room of its own, so that nobody fills it for the others. What finds no room is dropped, and asked for again by its
// sender or by us.
type mailbox struct {
	most  int // messages of one sender
	bytes int // of one sender's messages
	ready chan struct{}
	lost  prometheus.Counter // messages that found no room

	mu      sync.Mutex
	letters []letter
	held    []holding // by replica
}

type letter struct {
	from  wire.ReplicaID
	msg   wire.Verified
	bytes int
}

// holding is what one sender has in a mailbox.
type holding struct{ letters, bytes int }

func newMailbox(senders, most, bytes int, lost prometheus.Counter) *mailbox {
	return &mailbox{most: most, bytes: bytes, lost: lost, ready: make(chan struct{}, 1), held: make([]holding, senders)}
}

// put adds a message if its sender has room.
func (b *mailbox) put(from wire.ReplicaID, msg wire.Verified, bytes int) {
	b.mu.Lock()
	h := &b.held[from]
	fits := h.letters < b.most && h.bytes+bytes <= b.bytes
	if fits {
		h.letters++
		h.bytes += bytes
		b.letters = append(b.letters, letter{from, msg, bytes})
	}
	b.mu.Unlock()
	if !fits {
		b.lost.Inc()
		return
	}
	b.ring()
}

// ring wakes whoever takes from it.
func (b *mailbox) ring() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take returns all that is there, in order.
func (b *mailbox) take() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.letters
	b.letters = nil
	clear(b.held)
	return out
}

// waiting counts what is there.
func (b *mailbox) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.letters)
}
