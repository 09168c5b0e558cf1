package check

import (
	"tagma/pbft/wire"
)

// installs handles the record of a state that was fetched from others (X6).
func (m *Monitor) installs(o *observed, cert *wire.StableCert, durable bool) {
	m.stabilises(o, cert, durable)
	o.now.installed = mark{cert.Seq, cert.Digest}
	if durable {
		o.durable.installed = o.now.installed
	}
}

// resumes checks I13 at the end of a transfer: the record was written before, and execution continues above the state.
func (m *Monitor) resumes(o *observed, seq wire.Seq) {
	m.checked(i13)
	switch {
	case !o.fetching:
		m.fail(i13, o.id, "replica %d goes on from a state after %d, and fetched none", o.id, seq)
	case o.now.installed.seq != seq:
		m.fail(i13, o.id, "replica %d goes on from a state after %d before it writes so (X6)", o.id, seq)
	}
	o.fetching, o.handed = false, seq
}

// executesNothing checks X8: a replica that fetches a state executes only batches that were handed to execution before.
func (m *Monitor) executesNothing(o *observed, seq wire.Seq) {
	if !o.fetching {
		return
	}
	if m.breaks(i13, seq > o.handed) {
		m.fail(i13, o.id, "replica %d executes %d while it fetches a state (X8)", o.id, seq)
	}
}

// Transferred says that a correct replica's store adopted a fetched state: the one after a sequence number, with the
// root that the store now has. It is called where the machine resumes; later batches are applied above it.
func (m *Monitor) Transferred(id wire.ReplicaID, seq wire.Seq, root wire.Digest) {
	o := m.of(id)
	if o == nil {
		return
	}
	m.checked(i13)
	switch in := o.durable.installed; {
	case in.seq != seq:
		m.fail(i13, id, "replica %d adopts a state after %d, and its journal does not say so (X6)", id, seq)
	case in.digest != root:
		m.fail(i13, id, "replica %d adopts the state %v after %d, and %v is certified", id, root, seq, in.digest)
	}
	m.root(o, seq, root)
	o.applied = seq
}

// ownState checks X8: a replica never announces a state that it fetched from others.
func (m *Monitor) ownState(o *observed, seq wire.Seq) {
	if o.now.installed.seq == 0 {
		return
	}
	if m.breaks(i13, seq <= o.now.installed.seq) {
		m.fail(i13, o.id, "replica %d announces a state after %d, and was given one after %d (X8)", o.id, seq, o.now.installed.seq)
	}
}

// offers checks I13 for a state that others may fetch: it must be certified, and this replica must have computed or
// installed it itself.
func (m *Monitor) offers(o *observed, cert *wire.StableCert) {
	m.checked(i13)
	m.recountStable(o.id, cert)
	own, said := place{kind: kindRoot, seq: cert.Seq}, place{kind: wire.TypeCheckpoint, seq: cert.Seq}
	if o.forgot(own) || o.has(own, cert.Digest, true) || o.now.installed == (mark{cert.Seq, cert.Digest}) ||
		o.has(said, cert.Digest, true) { // its journal shows that it had the state (D5)
		return
	}
	m.fail(i13, o.id, "replica %d offers the state %v after %d, which it does not have", o.id, cert.Digest, cert.Seq)
}
