package network

import (
	"sync/atomic"
	"time"
)

// PeerState is what a host knows about its link with one replica, over both lanes unless stated otherwise. Counters
// begin at the start of the host.
type PeerState struct {
	Connected bool      // every lane has a stream to send on
	Since     time.Time // when Connected last changed; zero before the first connection
	Inbound   bool      // the replica's own streams to this host are up; for a client the same as Connected
	Twice     bool      // two processes run under the replica's key

	Traffic
	Bulk      Traffic // the share of frames of [BulkBytes] and more; empty for a client
	LastError string  // why the last attempt or connection ended, one line; empty while connected
}

// Traffic counts frames.
type Traffic struct {
	Queued      int // frames that wait to be sent
	QueuedBytes int
	Sent        uint64 // frames handed to the transport
	Received    uint64 // frames delivered to the handler
	Dropped     uint64 // frames not sent: not connected, no room, too large, or lost with their stream
}

func (t Traffic) plus(u Traffic) Traffic {
	return Traffic{
		Queued: t.Queued + u.Queued, QueuedBytes: t.QueuedBytes + u.QueuedBytes,
		Sent: t.Sent + u.Sent, Received: t.Received + u.Received, Dropped: t.Dropped + u.Dropped,
	}
}

// counters count the frames of one link over all its successive streams.
type counters struct{ sent, received, dropped atomic.Uint64 }
