package replica

import (
	"tagma/pbft"
	"tagma/pbft/wire"
)

// mostRecorded bounds what is remembered: the oldest messages go first.
const mostRecorded = 1 << 15

// Recording is what was overheard in a run, in order, byte for byte: whoever holds it can repeat it, and cut signatures
// out of it, but sign nothing. Several attackers of one run may share one; it is not safe for concurrent use.
type Recording struct {
	messages []wire.Message
	first    int // index of the oldest one, once it is full
}

// NewRecording returns an empty recording.
func NewRecording() *Recording { return new(Recording) }

// Add remembers a message that was seen on its way. It must not be changed afterwards. A message that the link alone vouches
// for is worth nothing to anybody else, and is not kept.
func (r *Recording) Add(m wire.Message) {
	switch m.(type) {
	case *wire.Heartbeat, *wire.Reply, *wire.Status, *wire.Fetch, *wire.Inquire, *wire.Report, *wire.Attach, *wire.Query, *wire.QueryReply:
		return
	default: // there are signatures in it
	}
	if len(r.messages) < mostRecorded {
		r.messages = append(r.messages, m)
		return
	}
	r.messages[r.first] = m
	r.first = (r.first + 1) % mostRecorded
}

// overhear remembers what an attacker is told.
func (r *Recording) overhear(ev pbft.Event) {
	if e, ok := ev.(pbft.Received); ok {
		r.Add(e.Msg.Message())
	}
}

// Len is the number of messages that are remembered.
func (r *Recording) Len() int { return len(r.messages) }

// At returns a remembered message, the oldest one being number 0.
func (r *Recording) At(i int) wire.Message { return r.messages[(r.first+i)%len(r.messages)] }

// newest returns the last remembered message that fits, or nil.
func (r *Recording) newest(fits func(wire.Message) bool) wire.Message {
	for i := r.Len() - 1; i >= 0; i-- {
		if m := r.At(i); fits(m) {
			return m
		}
	}
	return nil
}
