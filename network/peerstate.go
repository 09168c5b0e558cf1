package network

import (
	"sync/atomic"
	"time"
)

// PeerState is what a host knows of its link with one replica, of both lanes unless said. Counters run from the start of
// the host.
type PeerState struct {
	Connected bool      // whatever is sent has a stream to go on
	Since     time.Time // of Connected, or of its end; zero before the first connection
	Inbound   bool      // the replica's own streams to this host are up; on a client always Connected
	Twice     bool      // two processes run under the replica's key

	Traffic
	Bulk      Traffic // the part of frames of [BulkBytes] and more; on a client empty
	LastError string  // why the last attempt or connection ended, one line; empty while all is well
}

// Traffic counts frames.
type Traffic struct {
	Queued      int // waiting to be sent
	QueuedBytes int
	Sent        uint64 // handed to the transport
	Received    uint64 // delivered
	Dropped     uint64 // not sent: not connected, no room, too large, or lost with their stream
}

func (t Traffic) plus(u Traffic) Traffic {
	return Traffic{
		Queued: t.Queued + u.Queued, QueuedBytes: t.QueuedBytes + u.QueuedBytes,
		Sent: t.Sent + u.Sent, Received: t.Received + u.Received, Dropped: t.Dropped + u.Dropped,
	}
}

// counters count what happens on the streams of one link, one after the other.
type counters struct{ sent, received, dropped atomic.Uint64 }
