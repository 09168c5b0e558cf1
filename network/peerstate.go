package network

import (
	"sync/atomic"
	"time"
)

// PeerState is what a host knows of its link with one replica. Counters run from the start of the host.
type PeerState struct {
	Connected bool      // the stream to send on is up
	Since     time.Time // of Connected, or of its end; zero before the first connection
	Inbound   bool      // the replica's own stream to this host is up; on a client always Connected

	Queued      int // frames waiting to be sent
	QueuedBytes int
	Sent        uint64 // frames handed to the transport
	Received    uint64 // frames delivered
	Dropped     uint64 // frames not sent: not connected, no room, too large, or lost with their stream
	LastError   string // why the last attempt or connection ended, one line; empty while all is well
}

// counters count what happens on the streams of one link, one after the other.
type counters struct{ sent, received, dropped atomic.Uint64 }
