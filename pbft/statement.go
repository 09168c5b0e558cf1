package pbft

import "slices"

// What is remembered of others' statements, so that whoever forgets its own is told of them (D8.4).

// remembered is the highest checkpoint and the highest view change of one replica; their type is 0 if there is none.
type remembered struct{ checkpoint, viewChange Statement }

// witness remembers a statement of a replica if it is the highest of its kind.
func (r *Replica) witness(by ReplicaID, s Statement) {
	held := &r.memories[by]
	switch {
	case s.Type == TypeCheckpoint && (held.checkpoint.Type == 0 || s.Seq > held.checkpoint.Seq):
		held.checkpoint = s
	case s.Type == TypeViewChange && (held.viewChange.Type == 0 || s.View > held.viewChange.View):
		held.viewChange = s
	}
}

// witnessStable remembers the checkpoints of a certificate.
func (r *Replica) witnessStable(cert *StableCert) {
	for i := range cert.Checkpoints {
		e := &cert.Checkpoints[i]
		r.witness(e.Replica, Statement{TypeCheckpoint, 0, cert.Seq, cert.Digest, e.Sig})
	}
}

// witnessView remembers what a view change says.
func (r *Replica) witnessView(m *ViewChange) {
	if s, ok := saidIn(m); ok {
		r.witness(m.Replica, s)
	}
	r.witnessStable(&m.Stable)
}

// anchorMemories appends what is remembered of others: a restart of this replica must not erase it.
func (r *Replica) anchorMemories(out []Record) []Record {
	for id := range r.memories {
		if ReplicaID(id) == r.cfg.Self {
			continue
		}
		for _, s := range []Statement{r.memories[id].checkpoint, r.memories[id].viewChange} {
			if s.Type != 0 {
				out = append(out, &Witness{Replica: ReplicaID(id), Said: s})
			}
		}
	}
	return out
}

// saidBy lists what a replica signed as far as it is remembered: everything above a sequence number, newest first, and
// its highest checkpoint, view change and new view.
func (r *Replica) saidBy(id ReplicaID, above Seq) []Statement {
	var all []Statement
	held := &r.memories[id]
	if held.checkpoint.Type != 0 && held.checkpoint.Seq > above {
		all = append(all, held.checkpoint)
	}
	if held.viewChange.Type != 0 {
		all = append(all, held.viewChange)
	}
	if r.origin != nil && r.cfg.Primary(r.origin.View) == id {
		all = append(all, Statement{TypeNewView, r.origin.View, 0, r.origin.contentDigest(), r.origin.Sig})
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
func (s *slot) saidBy(cfg *Config, id ReplicaID, view View) []Statement {
	var all []Statement
	add := func(t Type, v View, d Digest, sig Signature) {
		said := Statement{t, v, s.seq, d, sig}
		if !slices.Contains(all, said) {
			all = append(all, said)
		}
	}
	if s.accepted && cfg.Primary(view) == id {
		add(TypePrePrepare, view, s.digest, s.proposal)
	}
	if p := &s.prepares[id]; p.cast {
		add(TypePrepare, p.view, p.digest, p.sig)
	}
	if c := &s.commits[id]; c.cast {
		add(TypeCommit, c.view, c.digest, c.sig)
	}
	if c := s.prepared; c != nil {
		if cfg.Primary(c.View) == id {
			add(TypePrePrepare, c.View, c.Digest, c.PrePrepare)
		}
		if sig, signed := signedBy(c.Prepares, id); signed {
			add(TypePrepare, c.View, c.Digest, sig)
		}
	}
	if c := s.cert; c != nil && len(all) < heldPerSlot {
		if sig, signed := signedBy(c.Commits, id); signed {
			add(TypeCommit, c.View, c.Digest, sig)
		}
	}
	return all
}

func signedBy(list []Endorsement, id ReplicaID) (Signature, bool) {
	for i := range list {
		if list[i].Replica == id {
			return list[i].Sig, true
		}
	}
	return Signature{}, false
}

// justifiedBy is the highest view that the suspects of f+1 replicas justify.
func justifiedBy(suspects []Suspect) View {
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
func (r *Replica) justified() (View, []Suspect) {
	view, suspects := View(0), []Suspect(nil)
	better := func(v View, s []Suspect) {
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
