package node

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"tagma/pbft/wire"
)

// mailbox holds verified messages for a goroutine that must not delay the readers of the network. Each sender has its
// own room, so that no sender can use up the room of others. If there is no room for a message, it is dropped. Then its
// sender sends it again, or this replica asks for it again.
type mailbox struct {
	most  int // messages that one sender may have in it
	bytes int // bytes that one sender may have in it
	ready chan struct{}
	lost  prometheus.Counter // counts messages that found no room

	mu      sync.Mutex
	letters []letter
	held    []holding // by replica
}

type letter struct {
	from  wire.ReplicaID
	msg   wire.Verified
	bytes int
}

// holding is how many messages, and how many bytes, of one sender are in the mailbox.
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

// ring wakes the goroutine that takes messages.
func (b *mailbox) ring() {
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take returns all messages, in order.
func (b *mailbox) take() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.letters
	b.letters = nil
	clear(b.held)
	return out
}

// waiting is the number of messages in the mailbox.
func (b *mailbox) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.letters)
}
