package explore

import (
	"fmt"
	"reflect"

	"tagma/pbft"
	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The lives of a node: how it loses one, asks, and begins the next one.

// actor is what takes the node's events.
func (n *node) actor() port.Actor {
	if n.forgot != nil {
		return n.forgot
	}
	return n.core
}

// forget loses all that was written, and asks the others. A restart while it asks asks again: answers are not written.
func (n *node) forget() {
	n.core, n.forgot = nil, amnesia.New(n.cfg, nonce)
	n.journal, n.applied, n.executed, n.root, n.done = nil, pbft.Applied{}, nil, wire.Digest{}, map[wire.RequestID]bool{}
	n.inbox, n.notes, n.stopped, n.stopAfter = nil, nil, false, 0
	n.tick(0)
}

// remember begins a new life once the others have told enough (D8.6).
func (n *node) remember() {
	if n.forgot == nil {
		return
	}
	rec, ok := n.forgot.Recovery()
	if !ok {
		return
	}
	n.life[0]++
	n.journal = rec.Records(n.cfg, n.life)
	n.forgot = nil
	n.boot()
}

// whySilent is I19: until a checkpoint at R is stable it says nothing that it may have contradicted before, and never in a
// view below V* (D8.7).
func (n *node) whySilent(l letter) error {
	if l.kind == wire.TypeSuspect {
		return nil
	}
	if in := n.core.Inspect(); in.Silent || l.view < in.Since {
		return fmt.Errorf("I19: r%d says %v; it forgot what it said below #%d and v%d", l.by, l, in.Until, in.Since)
	}
	return nil
}

// moveUp is the certificate of the checkpoint at the base.
func (w *world) moveUp() wire.StableCert {
	cert := wire.StableCert{Seq: w.base}
	if w.base == 0 {
		return cert
	}
	cert.Digest = wire.Digest{byte(w.base)}
	for id := range wire.ReplicaID(quorum) {
		m := &wire.Checkpoint{Seq: cert.Seq, Digest: cert.Digest, Replica: id}
		w.sign(id, m)
		cert.Checkpoints = append(cert.Checkpoints, wire.Endorsement{Replica: id, Sig: m.Sig})
	}
	return cert
}

// takeStable lets the core learn that the checkpoint at the base is stable. It fetches the state when it has waited for it.
func (n *node) takeStable() {
	v, err := wire.Verify(n.cfg, &wire.StableNotice{Cert: n.w.moved}, n.w.holds)
	if err != nil {
		panic("explore: the checkpoint at the base: " + err.Error())
	}
	n.receive(port.Source{Replica: (n.cfg.Self + 1) % replicas}, v)
	n.tick(long)
}

// transfer gives the core the state of the checkpoint at the base.
func (n *node) transfer(target wire.StableCert) {
	if target.Seq > 0 && target.Seq == n.w.base {
		n.inbox = append(n.inbox, port.Transferred{Cert: target})
	}
}

// asked has the client ask for what lies above the state that the core was given.
func (n *node) asked() {
	n.root = n.applied.Root
	for _, r := range n.w.requests {
		n.inbox = append(n.inbox, port.Received{From: port.Source{Client: true}, Msg: wire.Own(r)})
	}
}

// asksIn reports whether a core has sent its view change for its view.
func (w *world) asksIn(r *pbft.Replica) bool {
	return reflect.ValueOf(r).Elem().FieldByName("change").FieldByName("sent").Bool()
}
