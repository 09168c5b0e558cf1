package node

import (
	"sync/atomic"
	"time"

	"tagma/internal/trace"
	"tagma/network"
	"tagma/pbft/driver"
	"tagma/pbft/wire"
)

// outlet is the driver's Transport over the network.
type outlet struct {
	host       *network.Host
	outside    *outside
	routes     *routes
	quarantine *quarantine[*network.ClientLink]
}

// Send queues a frame for a replica, or for the client that takes a backup. If the frame is lost, the receiver's next
// status message shows what it lacks.
func (o *outlet) Send(to wire.ReplicaID, frame []byte) {
	if to == o.outside.id {
		o.outside.send(frame)
		return
	}
	o.host.Send(int(to), frame)
}

// Respond sends a reply over the link that the session last used. If there is no such link, the reply is dropped: the
// client has gone, or has sent its request only to other replicas. If it needs this reply, it will send the request
// here.
func (o *outlet) Respond(reply *wire.Reply) {
	link := o.routes.find(reply.ID)
	if link == nil {
		return
	}
	link.Send(wire.Encode(reply))
	if reply.Outcome.Busy() {
		o.quarantine.extend(link, time.Now(), busyPause)
	}
}

// tapped returns the parts of a replica, wrapped so that a listener is told of all events in the replica and of all
// messages that it sends.
func (n *Node) tapped() {
	cfg := &n.home.Config
	n.tap = trace.NewTap(int(cfg.Self), cfg.Quorum(), func() int64 { return time.Now().UnixMicro() }, n.opt.Trace)
	n.tap.Name(n.home.Cluster.ClientNumber)
	n.transport = &tappedTransport{Transport: n.transport, tap: n.tap, outside: n.outside.id}
}

// tappedTransport traces everything that the replica sends.
type tappedTransport struct {
	driver.Transport
	tap     *trace.Tap
	outside wire.ReplicaID
	last    atomic.Pointer[told] // the last frame, so that a frame to all replicas is decoded only once
}

type told struct {
	frame   []byte
	message trace.Message
}

// Watch calls hear with each event of this replica, until stop is called. As with Options.Trace, several goroutines call
// hear, and it must not block.
func (n *Node) Watch(hear func(trace.Event)) (stop func()) { return n.tap.Listen(hear) }

// Send implements driver.Transport.
func (t *tappedTransport) Send(to wire.ReplicaID, frame []byte) {
	if t.tap.Heard() {
		t.tell(to, frame)
	}
	t.Transport.Send(to, frame)
}

func (t *tappedTransport) tell(to wire.ReplicaID, frame []byte) {
	said := t.last.Load()
	if said == nil || len(frame) == 0 || len(said.frame) != len(frame) || &said.frame[0] != &frame[0] {
		m, err := wire.Decode(frame)
		if err != nil {
			m = nil
		}
		said = &told{frame, trace.Say(m)}
		t.last.Store(said)
	}
	whom := int(to)
	if to == t.outside {
		whom = trace.None
	}
	t.tap.Emit(&trace.Sent{To: whom, Bytes: len(frame), Message: said.message})
}

// Respond implements driver.Transport.
func (t *tappedTransport) Respond(reply *wire.Reply) {
	if t.tap.Heard() {
		t.tap.Emit(&trace.Sent{To: trace.None, Message: trace.Say(reply)})
	}
	t.Transport.Respond(reply)
}
