package sim

import (
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/wire"
)

// Wrap puts something around the core of a replica that starts, such as a listener or a script, or returns the core as it
// is. A wrap that sends anything by itself has to be Condemned's.
type Wrap func(w *World, id wire.ReplicaID, core driver.Core) driver.Core

// wrapped is a core within a wrap, if there is one.
func (n *node) wrapped(by Wrap, core driver.Core) driver.Core {
	if by == nil {
		return core
	}
	return by(n.w, n.id, core)
}

// Lend lets an attacker have the key of a replica that is still correct, and is Condemned before it says a lie.
func (w *World) Lend(id wire.ReplicaID) { w.lent[id] = true }

// Sign signs with the key of a replica, which must be faulty or lent: nobody else's is for an attacker to use.
func (w *World) Sign(id wire.ReplicaID) func([]byte) wire.Signature {
	return func(b []byte) wire.Signature {
		if !w.faulty[id] && !w.lent[id] {
			panic("sim: a correct replica's key was to sign a lie")
		}
		return w.nodes[id].party.sign(b)
	}
}

// Holds reports whether all claims have valid signatures.
func (w *World) Holds(claims []wire.Claim) bool { return w.keys.holds(claims) }

// Request is what a client signs, in its first session, under a number. Its client may send it, or have it stolen.
func (w *World) Request(client int, t uint64, ops [][]byte) *wire.Request {
	p := w.keys.party("client", client)
	m := &wire.Request{ID: wire.RequestID{Client: p.key, Session: 1, T: t}, AckedBelow: t, Ops: ops}
	wire.SignRequest(w.cfg.Cluster, m, func(b []byte) wire.Signature { return p.sign(b) })
	return m
}

// ClientKey is the public key of a client.
func (w *World) ClientKey(client int) wire.PublicKey { return w.keys.party("client", client).key }

// Rest stops all workloads, or lets them go on. What is under way goes on.
func (w *World) Rest(resting bool) { w.resting = resting }

// nap is after which time a workload that rests looks whether it may go on.
const nap = 10 * time.Millisecond
