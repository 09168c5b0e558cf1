package node

import (
	"time"

	"tagma/network"
	"tagma/pbft/wire"
)

// outlet is the driver's Transport over the network.
type outlet struct {
	host       *network.Host
	routes     *routes
	quarantine *quarantine[*network.ClientLink]
}

// Send queues a frame for a replica. What is lost is asked for again by status.
func (o *outlet) Send(to wire.ReplicaID, frame []byte) { o.host.Send(int(to), frame) }

// Respond sends a reply over the link its session last used. Without one the client has gone, or asked another replica
// only; it will ask here again if it needs this reply.
func (o *outlet) Respond(reply *wire.Reply) {
	link := o.routes.find(reply.ID)
	if link == nil {
		return
	}
	link.Send(wire.Encode(reply))
	if reply.Outcome == wire.OutcomeBusy {
		o.quarantine.extend(link, time.Now(), busyPause)
	}
}
