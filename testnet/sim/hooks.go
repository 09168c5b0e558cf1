package sim

import (
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/wire"
)

// Wrap wraps the core of a replica that starts, for example in a listener or a script, or returns it unchanged. Only
// wrappers of replicas that count as faulty may send messages of their own.
type Wrap func(w *World, id wire.ReplicaID, core driver.Core) driver.Core

// wrapped returns a core within a wrap, or the core itself if the wrap is nil.
func (n *node) wrapped(by Wrap, core driver.Core) driver.Core {
	if by == nil {
		return core
	}
	return by(n.w, n.id, core)
}

// Lend lets an attacker sign with the key of a replica that still counts as correct. The caller must call Condemn before
// the attacker's first lie.
func (w *World) Lend(id wire.ReplicaID) { w.lent[id] = true }

// Sign signs with the key of a replica that counts as faulty, or whose key is lent. It panics for other replicas.
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

// Request returns a signed request of a client's first session. The client may send it, or an attacker that has the
// request.
func (w *World) Request(client int, t uint64, ops [][]byte) *wire.Request {
	p := w.keys.party("client", client)
	m := &wire.Request{ID: wire.RequestID{Client: p.key, Session: 1, T: t}, AckedBelow: t, Ops: ops}
	wire.SignRequest(w.cfg.Cluster, m, func(b []byte) wire.Signature { return p.sign(b) })
	return m
}

// ClientKey is the public key of a client.
func (w *World) ClientKey(client int) wire.PublicKey { return w.keys.party("client", client).key }

// Rest stops all workloads, or lets them continue. Requests under way are not stopped.
func (w *World) Rest(resting bool) { w.resting = resting }

// nap is how often a stopped workload checks whether it may continue.
const nap = 10 * time.Millisecond
