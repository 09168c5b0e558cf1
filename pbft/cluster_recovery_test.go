package pbft

import (
	"slices"
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// What a driver does for a replica that recovers, outside the core: it sends batches from its journal, fetches a state,
// and runs an Amnesiac in place of the replica.

// fetching is a running state transfer.
type fetching struct {
	target wire.StableCert
	asked  time.Duration
}

// nonce returns a new nonce for a start.
func (c *cluster) nonce() uint64 {
	c.nonces++
	return c.nonces
}

// donate answers a question for batches from the journal (X0): each with its certificate, up to the first one that it
// lacks.
func (n *node) donate(to wire.ReplicaID, m *wire.FetchSlots) {
	if n.amnesiac != nil {
		return
	}
	n.c.trace.event(n, port.Received{From: port.Source{Replica: to}, Msg: wire.Own(m)})
	held := n.journal.batches()
	next := m.From
	for ; next < m.From+wire.Seq(m.Most) && held[next] != nil; next++ {
		n.perform(port.Send{To: to, Msg: held[next]})
	}
	n.perform(port.Send{To: to, Msg: &wire.Slots{From: m.From, Next: next}})
}

// batches lists the batches in the journal that other replicas can execute.
func (j *journal) batches() map[wire.Seq]*wire.CertifiedBody {
	log, err := j.read()
	if err != nil {
		panic(err)
	}
	bySeq, found := map[wire.Seq][]wire.Record{}, map[wire.Seq]*wire.CertifiedBody{}
	for _, r := range log {
		bySeq[wire.RecordSeq(r)] = append(bySeq[wire.RecordSeq(r)], r)
	}
	for seq, records := range bySeq {
		found[seq] = wire.Log(records).Batch(seq)
	}
	return found
}

// fetchState continues a transfer: it copies the state of a stable checkpoint from a correct replica on which it is durable.
// A checkpoint above the replica's own stable one is first given to the core, which makes it durable.
func (n *node) fetchState() {
	if n.fetching == nil || !n.up || len(n.inbox) > 0 || n.faulty {
		return
	}
	low := n.replica.log.Low
	for _, d := range n.c.correct() {
		cert := d.replica.checkpoints.Stable
		if d == n || !d.up || d.amnesiac != nil || d.replica.checkpoints.Base != cert.Seq || cert.Seq < n.fetching.target.Seq {
			continue
		}
		if cert.Seq > low {
			n.step(port.Received{From: port.Source{Replica: d.id}, Msg: wire.Own(&wire.StableNotice{Cert: cert})})
			return
		}
		s, ok := d.saved[cert.Seq]
		if !ok || s.root != cert.Digest {
			n.c.fail("replica %d has no state for its stable checkpoint %d", d.id, cert.Seq)
		}
		n.transfers++
		n.fetching = nil
		n.saved = map[wire.Seq]state{cert.Seq: s.clone()}
		n.step(port.Transferred{Cert: cert})
		return
	}
	if n.c.now-n.fetching.asked >= n.cfg.ViewTimeout {
		n.fetching.asked = n.c.now
		n.step(port.Starving{})
	}
}

// ahead reports whether the store holds a state that is newer than everything in the journal (D8.3).
func (n *node) ahead(log []wire.Record) bool {
	for seq := range n.saved {
		if seq > wire.Log(log).Reach(n.cfg) {
			return true
		}
	}
	return false
}

// wipe deletes a node's journal and state.
func (n *node) wipe() {
	if n.up {
		n.crash()
	}
	n.lost = true
}

// forget starts the recovery of a replica that knows that it has forgotten (D8.6): the old disk is set aside.
func (n *node) forget() {
	n.journal, n.saved = journal{}, map[wire.Seq]state{0: emptyState()}
	n.state = emptyState()
	n.lost, n.restored, n.up, n.inbox, n.crashIn, n.fetching = true, false, true, nil, 0, nil
	n.amnesiac = amnesia.New(n.cfg, n.c.nonce())
	n.c.check.forgets(n)
	n.c.trace.say(n, "knows that it forgot what it signed")
}

// foundOut ends a life after another replica has shown a statement of this one that its journal lacks (D8.5).
func (n *node) foundOut() {
	if !n.restored {
		n.c.fail("D8.5: replica %d, whose journal is whole, is told that it forgot\n%s", n.id, n.c.describe())
	}
	n.found++
	n.forget()
}

// takeForgetful gives the amnesiac an event, and starts a new life of the replica once R and V* are known.
func (n *node) takeForgetful(ev port.Event) {
	for _, e := range slices.Clone(n.amnesiac.Step(ev)) {
		switch e.(type) {
		case port.Send, port.Respond, port.Dropped:
			n.perform(e)
		default:
			n.c.fail("I19: an amnesiac wants %T", e)
		}
	}
	rec, ok := n.amnesiac.Recovery()
	if !ok {
		return
	}
	n.life[15]++
	for _, r := range rec.Records(n.cfg, n.life) {
		n.journal.persist(r)
	}
	n.amnesiac, n.lost = nil, false
	n.c.check.recovers(n, rec)
	n.start()
}

// copyOf is an older copy of a node's disk.
type copyOf struct {
	life    wire.Life
	journal journal
	saved   map[wire.Seq]state
}

// copyDisk copies what is durable.
func (n *node) copyDisk() *copyOf {
	saved := map[wire.Seq]state{}
	for seq, s := range n.saved {
		saved[seq] = s.clone()
	}
	return &copyOf{life: n.life, journal: n.journal.clone(), saved: saved}
}

// restore puts the copy back in place of the disk while the node is down.
func (n *node) restore(old *copyOf) {
	n.crash()
	n.life, n.journal, n.saved = old.life, old.journal.clone(), map[wire.Seq]state{}
	for seq, s := range old.saved {
		n.saved[seq] = s.clone()
	}
	n.restored, n.doubtful = true, true
	n.c.check.loses(n)
	n.c.check.forgets(n)
	n.c.trace.say(n, "has an older copy of its disk put back")
}

func (j *journal) clone() journal {
	c := journal{}
	for _, s := range j.segments {
		c.segments = append(c.segments, segment{records: slices.Clone(s.records), highest: s.highest})
	}
	return c
}
