package pbft

import (
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The question of every start (D8.4, D8.5), and what this replica holds of the others' signed statements.

// Start says how a replica starts.
type Start struct {
	Life  wire.Life
	Nonce uint64 // fresh for each start; 0: nobody is asked
	First bool   // the replica was never started before, so its journal is empty (D8.5)
	Fetch bool   // the store holds none of the states that the journal names, so the state must be fetched from others (X1)
	Doubt bool   // the stored state may be wrong, so a fetched one must not be written beside it (K2, X5)
}

// stepAsking takes an event while this replica's own question is unsettled. It answers other replicas' questions at
// once, from the journal. Otherwise replicas that start together would wait for each other for ever.
func (r *Replica) stepAsking(ev port.Event) {
	switch e := ev.(type) {
	case port.Tick:
		r.mono, r.wall = max(r.mono, e.Mono), e.Wall
		r.ask()
	case port.Received:
		switch m := e.Msg.Message().(type) {
		case *wire.Held:
			if !e.From.Client {
				r.onHeld(m, e.From)
				return
			}
		case *wire.HeldBy:
			if !e.From.Client {
				r.onHeldBy(m, e.From)
				return
			}
		case *wire.Request:
			r.respondBusy(m, e.From)
		default: // messages are of use only once this replica may vote
		}
		r.drop(e.Msg.Message(), port.ReasonAsking)
	default: // nothing is executed before the question is settled
	}
}

// ask sends this start's question to the replicas whose answer is missing.
func (r *Replica) ask() {
	nonce, whom := r.inquiry.Ask(r.mono)
	for _, to := range whom {
		r.send(to, &wire.Held{Nonce: nonce, Above: r.log.Low})
	}
}

// onHeld answers another replica's question. The answer is long, so the rate is bounded.
func (r *Replica) onHeld(m *wire.Held, from port.Source) {
	p := &r.peers[from.Replica]
	if p.asked && r.mono-p.askedAt < r.cfg.ViewTimeout/16 {
		r.drop(m, port.ReasonTooOften)
		return
	}
	p.asked, p.askedAt = true, r.mono
	r.grant(p)
	r.help(from.Replica, r.heldBy(from.Replica, m))
}

// heldBy returns what this replica holds of another one's signed statements, and what proves how far the cluster has come.
func (r *Replica) heldBy(id wire.ReplicaID, m *wire.Held) *wire.HeldBy {
	answer := &wire.HeldBy{
		Nonce: m.Nonce, Of: id, Whole: !r.silent(), Said: r.saidBy(id, m.Above), Stable: r.checkpoints.Stable,
	}
	for seq := r.log.Seen; seq > r.log.Floor() && (answer.Prepared == nil || answer.Commit == nil); seq-- {
		s := r.log.Peek(seq)
		if s == nil {
			continue
		}
		if answer.Prepared == nil {
			answer.Prepared = s.Prepared
		}
		if answer.Commit == nil {
			answer.Commit = s.Cert
		}
	}
	answer.View, answer.Suspects = r.justified()
	return answer
}

// onHeldBy takes an answer. One statement of this replica that its journal lacks proves that it forgot something, and
// nobody can forge such a statement. If no answer shows such a statement, this replica may vote after n−f−1 answers from
// replicas that remember everything. Later answers are still examined.
func (r *Replica) onHeldBy(m *wire.HeldBy, from port.Source) {
	q := &r.inquiry
	if why := q.WhyDrop(m, from.Replica); why != "" {
		r.drop(m, why)
		return
	}
	for i := range m.Said {
		if s := &m.Said[i]; q.NeverStarted() || r.hasForgotten(s) {
			q.Forgot = true
			r.emit(port.Forgot{Said: *s, Witness: from.Replica})
			return
		}
	}
	q.Answered(from.Replica, m.Whole)
}

// hasForgotten reports whether the journal lacks a statement of this replica that still matters: a vote above h in the
// current view, a checkpoint above h, or a view change or new view above the current view. Statements below the point
// where this life recovered do not count: they are known to be forgotten, and this life never contradicts them (D8.7). A
// second view change to V* itself is allowed (D8.10). Votes that an unclean stop may have lost do not count either
// (D8.14); every other statement was durable before it was sent.
func (r *Replica) hasForgotten(s *wire.Statement) bool {
	floor := r.recovery.view
	switch s.Type {
	case wire.TypeViewChange:
		return s.View > max(r.view, floor)
	case wire.TypeNewView:
		return s.View > r.view && s.View >= floor
	case wire.TypeCheckpoint:
		return s.Seq > max(r.log.Low, r.recovery.until) && !r.saidCheckpoint(s)
	default:
		return s.Seq > max(r.log.Low, r.recovery.unsaid) && s.View >= max(r.view, floor) && !r.saidVote(s)
	}
}

func (r *Replica) saidCheckpoint(s *wire.Statement) bool {
	own, known := r.checkpoints.OwnDigest(s.Seq)
	return known && own == s.Digest || s.Seq <= r.checkpoints.Void
}

// saidVote looks at the slot to find out whether this replica has cast this vote. A vote that was just sent may come
// back from others before the loopback delivers it.
func (r *Replica) saidVote(s *wire.Statement) bool {
	at := r.log.Peek(s.Seq)
	if at == nil {
		return false
	}
	said := msglog.Vote{Cast: true, View: s.View, Digest: s.Digest, Sig: s.Sig}
	current := s.View == r.view
	switch s.Type {
	case wire.TypePrePrepare:
		sent := r.isPrimary() && s.Seq <= r.proposed && at.Body(s.Digest) != nil
		return current && (at.Accepted && at.Digest == s.Digest || !at.Accepted && sent)
	case wire.TypePrepare:
		return at.Prepares[r.cfg.Self].Says(&said) || current && at.PrepareSent && at.Digest == s.Digest
	default:
		sent := current && at.CommitSent && at.Prepared != nil && at.Prepared.View == s.View
		return at.Commits[r.cfg.Self].Says(&said) || sent && at.Prepared.Digest == s.Digest
	}
}

// The following functions concern other replicas' statements that this one remembers, so that a replica that forgot its
// own statements can be told of them (D8.4).

// saidBy lists the remembered statements of a replica: all votes above a sequence number, newest first, and its highest
// checkpoint, view change and new view.
func (r *Replica) saidBy(id wire.ReplicaID, above wire.Seq) []wire.Statement {
	all := r.memories.SaidBy(id, above)
	if r.origin != nil && r.cfg.Primary(r.origin.View) == id {
		all = append(all, wire.Statement{Type: wire.TypeNewView, View: r.origin.View, Digest: r.origin.ContentDigest(), Sig: r.origin.Sig})
	}
	places := 2 * r.cfg.LogWindow // no replica votes further than this above its last checkpoint
	for seq := r.log.Seen; seq > max(above, r.log.Floor()) && places > 0; seq-- {
		s := r.log.Peek(seq)
		if s == nil {
			continue
		}
		if said := s.SaidBy(r.cfg, id, r.view); len(said) > 0 {
			all = append(all, said...)
			places--
		}
	}
	return all
}

// justified is the highest view that this replica can prove to be justified, with the Suspects that prove it (V7).
func (r *Replica) justified() (wire.View, []wire.Suspect) {
	view, suspects := wire.View(0), []wire.Suspect(nil)
	better := func(v wire.View, s []wire.Suspect) {
		if v > view && len(s) > 0 {
			view, suspects = v, s
		}
	}
	better(wire.JustifiedBy(r.recovery.suspects), r.recovery.suspects)
	better(r.view, r.change.suspects)
	if r.origin != nil {
		better(r.origin.View, r.origin.ViewChanges[0].Suspects)
	}
	for _, m := range r.change.votes {
		if m != nil {
			better(m.View, m.Suspects)
		}
	}
	return view, suspects
}
