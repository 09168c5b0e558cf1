package pbft

import (
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// before checks an effect of a correct replica just before the effect is performed.
func (k *checker) before(n *node, e port.Effect) {
	if n.faulty {
		return
	}
	switch e := e.(type) {
	case port.Persist:
		k.flush(n)
		k.durable(n, e.Record)
	case port.Broadcast:
		if wire.Durable(e.Msg) {
			k.flush(n)
			k.durable(n, &wire.Sent{Msg: e.Msg})
		}
		k.mayBroadcast(n, e.Msg)
	case port.Execute:
		k.mayExecute(n, e)
	case port.Truncate:
		k.flush(n)
		for _, r := range n.replica.Anchor() {
			k.durable(n, r)
		}
	case port.Accuse:
		k.convicts(n, e.Evidence)
	case port.Entered:
		m := k.of(n)
		if e.View <= m.entered {
			k.failed("I7: replica %d enters view %d after view %d", n.id, e.View, m.entered)
		}
		m.entered = e.View
	case port.Send:
		if wire.Durable(e.Msg) {
			if by, ok := wire.Sender(n.cfg, e.Msg); ok && by == n.id {
				k.resent(n, e.Msg)
			}
		}
	}
}

// flush treats the pending records as durable, because the next record makes them so.
func (k *checker) flush(n *node) {
	for _, r := range n.journal.notes {
		k.durable(n, r)
	}
}

// mayBroadcast checks D1, D2, D4 and D5: before a vote is sent, the records on which it depends are durable.
func (k *checker) mayBroadcast(n *node, msg wire.Message) {
	m := k.of(n)
	switch v := msg.(type) {
	case *wire.Prepare:
		if m.accepted[place{wire.TypePrePrepare, v.View, v.Seq}] != v.Digest || !m.hasBody(v.Seq, v.Digest) {
			k.failed("D1: replica %d prepares (%d, %d) without a durable pre-prepare and body", n.id, v.View, v.Seq)
		}
		if v.View > 0 && m.activated[v.View] == nil {
			k.failed("D4: replica %d prepares in view %d without a durable new view", n.id, v.View)
		}
	case *wire.Commit:
		if m.prepared[place{wire.TypePrepare, v.View, v.Seq}] != v.Digest {
			k.failed("D2: replica %d commits (%d, %d) without a durable certificate", n.id, v.View, v.Seq)
		}
	case *wire.Checkpoint:
		if s, ok := n.saved[v.Seq]; !ok || s.root != v.Digest {
			k.failed("D5: replica %d announces a state after %d that it did not save", n.id, v.Seq)
		}
	}
}

// mayExecute checks D0, N7, I1 and I16 for a batch.
func (k *checker) mayExecute(n *node, e port.Execute) {
	m, d := k.of(n), e.Body.Digest()
	if !m.certified[batchAt{e.Seq, d}] || !m.hasBody(e.Seq, d) {
		k.failed("N7: replica %d executes %d without a durable certificate and body", n.id, e.Seq)
	}
	if first, ok := k.chosen[e.Seq]; ok && first != d {
		k.failed("I1: replica %d executes %v at %d, another one executed %v", n.id, d, e.Seq, first)
	}
	k.chosen[e.Seq] = d
	for _, r := range e.Body.Requests {
		if !k.c.submitted[r.Digest()] {
			k.failed("I16: replica %d executes a request that no client signed", n.id)
		}
	}
	cert := n.replica.log.Peek(e.Seq).Cert
	if _, known := k.committed[e.Seq]; !known {
		c := commitment{cert.View, d}
		k.committed[e.Seq] = c
		for _, v := range k.newViews {
			k.keeps(v, e.Seq, c)
		}
	}
}

// signed checks I2 across restarts: a replica signs only one digest for each type, view and sequence number, and does
// not vote in a view that it has left.
func (k *checker) signed(n *node, msg wire.Message) {
	if n.faulty {
		return
	}
	m := k.of(n)
	at, d, ok := placeOf(msg)
	if !ok {
		return
	}
	// It counts as a liar until its loss is noticed, or until h and its view are above everything that it has forgotten.
	if n.restored {
		m.signed[at] = d
		return
	}
	if before, again := m.signed[at]; again && before != d && !k.supersedes(m, msg) {
		k.failed("I2: replica %d signs two digests for %v in view %d at %d", n.id, at.kind, at.view, at.seq)
	}
	k.silent(n, at)
	m.signed[at] = d
	switch at.kind {
	case wire.TypeViewChange:
		m.left = max(m.left, at.view)
		m.stables[at.view] = msg.(*wire.ViewChange).Stable.Seq
	case wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit:
		if at.view < m.left {
			k.failed("I2: replica %d signs a %v in view %d after its view change to %d", n.id, at.kind, at.view, m.left)
		}
	}
}

// silent checks I19: a replica that has forgotten what it signed signs no vote until a checkpoint at or above R is
// stable, and never votes in a view below V*.
func (k *checker) silent(n *node, at place) {
	m := k.of(n)
	if m.lives == 0 || at.kind == wire.TypeCheckpoint {
		return
	}
	if n.amnesiac != nil || n.replica.log.Low < m.until || at.view < m.since {
		k.failed("I19: replica %d signs a %v for view %d at %d; it may from view %d on above %d, and h is %d",
			n.id, at.kind, at.view, at.seq, m.since, m.until, n.replica.log.Low)
	}
}

// supersedes checks D8.10: a replica signs a second view change for a view for which its forgotten life has signed one.
// That is no proof of misbehaviour if the stable checkpoint in the second one is a window higher.
func (k *checker) supersedes(m *memory, msg wire.Message) bool {
	vc, ok := msg.(*wire.ViewChange)
	return ok && m.lives > 0 && vc.Stable.Seq >= m.stables[vc.View]+k.c.nodes[0].cfg.LogWindow
}

// resent checks D7: whatever is sent again was signed before. The pre-prepares of O count as signed within their
// NewView.
func (k *checker) resent(n *node, msg wire.Message) {
	at, d, ok := placeOf(msg)
	m := k.of(n)
	if at.kind == wire.TypePrePrepare && m.accepted[at] == d {
		return
	}
	if ok && m.signed[at] != d {
		k.failed("D7: replica %d sends a %v for view %d at %d that it never broadcast", n.id, at.kind, at.view, at.seq)
	}
}

func placeOf(msg wire.Message) (place, wire.Digest, bool) {
	switch m := msg.(type) {
	case *wire.PrePrepare:
		return place{wire.TypePrePrepare, m.View, m.Seq}, m.Digest, true
	case *wire.Prepare:
		return place{wire.TypePrepare, m.View, m.Seq}, m.Digest, true
	case *wire.Commit:
		return place{wire.TypeCommit, m.View, m.Seq}, m.Digest, true
	case *wire.Checkpoint:
		return place{wire.TypeCheckpoint, 0, m.Seq}, m.Digest, true
	case *wire.ViewChange:
		return place{wire.TypeViewChange, m.View, 0}, m.ContentDigest(), true
	case *wire.NewView:
		return place{wire.TypeNewView, m.View, 0}, m.ContentDigest(), true
	}
	return place{}, wire.Digest{}, false
}

// convicts checks E1: every other replica accepts the evidence, and there is never evidence against a correct replica.
func (k *checker) convicts(n *node, e wire.Evidence) {
	if err := e.Verify(n.cfg, testHolds); err != nil {
		k.failed("E1: replica %d shows evidence that does not hold: %v", n.id, err)
	}
	if !k.c.nodes[e.Replica].faulty && !k.c.nodes[e.Replica].doubtful {
		k.failed("E1: replica %d convicts the correct replica %d", n.id, e.Replica)
	}
}

// after checks a correct replica's state after a step: I6, I7 and the bounds of its memory (I14).
func (k *checker) after(n *node) {
	if n.faulty || n.amnesiac != nil {
		return
	}
	m, r := k.of(n), n.replica
	if n.restored && r.log.Low >= m.lostSeq && r.view > m.lostView {
		n.restored = false
	}
	if n.restored {
		return
	}
	if m.replica != r {
		m.replica, m.low = r, r.log.Low
	}
	if r.log.Low < m.low {
		k.failed("I6: the low watermark of replica %d falls from %d to %d", n.id, m.low, r.log.Low)
	}
	m.low = r.log.Low
	if r.view < m.left || r.view == m.left && m.left > 0 && r.active && m.activated[r.view] == nil {
		k.failed("I7: replica %d is in view %d (active: %v) after its view change to %d", n.id, r.view, r.active, m.left)
	}
	if len(r.log.Ring) != int((wire.KeptWindows+2)*n.cfg.LogWindow) || len(r.pool.ByID) > 2*n.cfg.MaxPending {
		k.failed("I14: replica %d grows beyond its bounds", n.id)
	}
	for i := range r.log.Ring {
		s := &r.log.Ring[i]
		if s.Accepted && s.Seq > r.log.High() {
			k.failed("I6: replica %d accepts %d above its high watermark %d", n.id, s.Seq, r.log.High())
		}
		if len(s.Bodies) > msglog.MaxBodies {
			k.failed("I14: replica %d holds %d bodies for %d", n.id, len(s.Bodies), s.Seq)
		}
	}
}
