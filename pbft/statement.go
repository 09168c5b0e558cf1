package pbft

import (
	"slices"

	"tagma/pbft/wire"
)

// What is remembered of others' statements, so that whoever forgets its own is told of them (D8.4).

// remembered is the highest checkpoint and the highest view change of one replica; their type is 0 if there is none.
type remembered struct{ checkpoint, viewChange wire.Statement }

// witness remembers a statement of a replica if it is the highest of its kind.
func (r *Replica) witness(by wire.ReplicaID, s wire.Statement) {
	held := &r.memories[by]
	switch {
	case s.Type == wire.TypeCheckpoint && (held.checkpoint.Type == 0 || s.Seq > held.checkpoint.Seq):
		held.checkpoint = s
	case s.Type == wire.TypeViewChange && (held.viewChange.Type == 0 || s.View > held.viewChange.View):
		held.viewChange = s
	}
}

// witnessStable remembers the checkpoints of a certificate.
func (r *Replica) witnessStable(cert *wire.StableCert) {
	for i := range cert.Checkpoints {
		e := &cert.Checkpoints[i]
		r.witness(e.Replica, wire.Statement{Type: wire.TypeCheckpoint, View: 0, Seq: cert.Seq, Digest: cert.Digest, Sig: e.Sig})
	}
}

// witnessView remembers what a view change says.
func (r *Replica) witnessView(m *wire.ViewChange) {
	if s, ok := wire.SaidIn(m); ok {
		r.witness(m.Replica, s)
	}
	r.witnessStable(&m.Stable)
}

// anchorMemories appends what is remembered of others: a restart of this replica must not erase it.
func (r *Replica) anchorMemories(out []wire.Record) []wire.Record {
	for id := range r.memories {
		if wire.ReplicaID(id) == r.cfg.Self {
			continue
		}
		for _, s := range []wire.Statement{r.memories[id].checkpoint, r.memories[id].viewChange} {
			if s.Type != 0 {
				out = append(out, &wire.Witness{Replica: wire.ReplicaID(id), Said: s})
			}
		}
	}
	return out
}

// saidBy lists what a replica signed as far as it is remembered: everything above a sequence number, newest first, and
// its highest checkpoint, view change and new view.
func (r *Replica) saidBy(id wire.ReplicaID, above wire.Seq) []wire.Statement {
	var all []wire.Statement
	held := &r.memories[id]
	if held.checkpoint.Type != 0 && held.checkpoint.Seq > above {
		all = append(all, held.checkpoint)
	}
	if held.viewChange.Type != 0 {
		all = append(all, held.viewChange)
	}
	if r.origin != nil && r.cfg.Primary(r.origin.View) == id {
		all = append(all, wire.Statement{Type: wire.TypeNewView, View: r.origin.View, Seq: 0, Digest: r.origin.ContentDigest(), Sig: r.origin.Sig})
	}
	places := 2 * r.cfg.LogWindow // nobody votes further above its last checkpoint
	for seq := r.log.seen; seq > max(above, r.log.floor()) && places > 0; seq-- {
		s := r.log.peek(seq)
		if s == nil {
			continue
		}
		if said := s.saidBy(r.cfg, id, r.view); len(said) > 0 {
			all = append(all, said...)
			places--
		}
	}
	return all
}

// saidBy lists what a replica signed for one sequence number: by its own votes, and inside certificates.
func (s *slot) saidBy(cfg *wire.Config, id wire.ReplicaID, view wire.View) []wire.Statement {
	var all []wire.Statement
	add := func(t wire.Type, v wire.View, d wire.Digest, sig wire.Signature) {
		said := wire.Statement{Type: t, View: v, Seq: s.seq, Digest: d, Sig: sig}
		if !slices.Contains(all, said) {
			all = append(all, said)
		}
	}
	if s.accepted && cfg.Primary(view) == id {
		add(wire.TypePrePrepare, view, s.digest, s.proposal)
	}
	if p := &s.prepares[id]; p.cast {
		add(wire.TypePrepare, p.view, p.digest, p.sig)
	}
	if c := &s.commits[id]; c.cast {
		add(wire.TypeCommit, c.view, c.digest, c.sig)
	}
	if c := s.prepared; c != nil {
		if cfg.Primary(c.View) == id {
			add(wire.TypePrePrepare, c.View, c.Digest, c.PrePrepare)
		}
		if sig, signed := signedBy(c.Prepares, id); signed {
			add(wire.TypePrepare, c.View, c.Digest, sig)
		}
	}
	if c := s.cert; c != nil && len(all) < wire.HeldPerSlot {
		if sig, signed := signedBy(c.Commits, id); signed {
			add(wire.TypeCommit, c.View, c.Digest, sig)
		}
	}
	return all
}

func signedBy(list []wire.Endorsement, id wire.ReplicaID) (wire.Signature, bool) {
	for i := range list {
		if list[i].Replica == id {
			return list[i].Sig, true
		}
	}
	return wire.Signature{}, false
}

// justifiedBy is the highest view that the suspects of f+1 replicas justify.
func justifiedBy(suspects []wire.Suspect) wire.View {
	if len(suspects) == 0 {
		return 0
	}
	lowest := suspects[0].View
	for i := range suspects {
		lowest = min(lowest, suspects[i].View)
	}
	return lowest + 1
}

// justified is the highest view that this replica can prove justified, with the Suspects that do (V7).
func (r *Replica) justified() (wire.View, []wire.Suspect) {
	view, suspects := wire.View(0), []wire.Suspect(nil)
	better := func(v wire.View, s []wire.Suspect) {
		if v > view && len(s) > 0 {
			view, suspects = v, s
		}
	}
	better(justifiedBy(r.recovery.suspects), r.recovery.suspects)
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
