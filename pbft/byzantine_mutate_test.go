package pbft

import "slices"

// mutate returns a changed copy of a message, signed with this replica's key if it speaks for this replica. A changed
// message of somebody else keeps its old signature and must be refused.
func (l *liar) mutate(m Message) Message {
	switch m := m.(type) {
	case *PrePrepare:
		return l.mutatePrePrepare(m)
	case *Prepare:
		v := *m
		l.twist(&v.View, &v.Seq, &v.Digest, &v.Replica)
		return l.sign(&v)
	case *Commit:
		v := *m
		l.twist(&v.View, &v.Seq, &v.Digest, &v.Replica)
		return l.sign(&v)
	case *Checkpoint:
		v := *m
		l.twist(new(View), &v.Seq, &v.Digest, &v.Replica)
		return l.sign(&v)
	case *Suspect:
		return l.sign(&Suspect{View: l.view(), Replica: l.n.id})
	case *ViewChange:
		return l.mutateViewChange(m)
	case *NewView:
		return l.mutateNewView(m)
	case *Status:
		v := *m
		v.View, v.Executed, v.Stable = l.view(), l.seq(), l.seq()
		v.Active, v.Helper = l.rng.IntN(2) == 0, ReplicaID(l.rng.IntN(l.n.cfg.N()))
		return &v
	case *CertifiedBody:
		v := *m
		if bs := l.bodies(); len(bs) > 0 {
			v.Body = bs[l.rng.IntN(len(bs))]
		}
		if l.rng.IntN(2) == 0 {
			v.Cert = nil
		}
		return &v
	case *Fetch:
		return &Fetch{Seq: l.seq(), Digest: l.digest(m.Seq)}
	case *HeldBy:
		return l.mutateHeldBy(m)
	case *Held:
		return &Held{Nonce: m.Nonce + l.rng.Uint64N(2), Above: l.seq()}
	case *Slots:
		return &Slots{From: m.From, Next: m.From + Seq(l.rng.IntN(3))}
	case *Recover:
		return &Recover{Until: l.seq()}
	}
	return m
}

// mutateHeldBy leaves out, says that a replica is whole which is not, or claims to be about another one.
func (l *liar) mutateHeldBy(m *HeldBy) Message {
	v := *m
	switch l.rng.IntN(6) {
	case 0:
		v.Said = nil
	case 1:
		v.View, v.Suspects = 0, nil
	case 2:
		v.Stable = StableCert{}
	case 3:
		v.Prepared, v.Commit = nil, nil
	case 4:
		v = HeldBy{Nonce: m.Nonce, Of: m.Of, Whole: true}
	case 5:
		v.Of = ReplicaID(l.rng.IntN(l.n.cfg.N()))
	}
	v.Whole = l.rng.IntN(4) > 0
	return &v
}

// twist changes one field of a vote, and makes it this replica's own.
func (l *liar) twist(v *View, s *Seq, d *Digest, by *ReplicaID) {
	switch l.rng.IntN(4) {
	case 0:
		*v = l.view()
	case 1:
		*s = l.seq()
	default:
		*d = l.digest(*s)
	}
	*by = l.n.id
}

func (l *liar) mutatePrePrepare(m *PrePrepare) Message {
	v := *m
	switch l.rng.IntN(5) {
	case 0:
		v.Body = nil
	case 1:
		v.Seq = l.seq()
	case 2:
		return l.propose(l.view(), m.Seq)
	default:
		if m.Body != nil && !m.Body.IsNull() {
			v.Body = &Body{Time: m.Body.Time + 1, Requests: m.Body.Requests}
			if l.rng.IntN(4) == 0 {
				v.Body.Time += int64(l.n.cfg.ViewTimeout) * 100
			}
			v.Digest = v.Body.Digest()
		}
	}
	return l.sign(&v)
}

// mutateViewChange leaves out certificates, quotes those of others, or shows an old stable checkpoint.
func (l *liar) mutateViewChange(m *ViewChange) Message {
	v := *m
	v.Replica = l.n.id
	v.Prepared = slices.Clone(m.Prepared)
	switch l.rng.IntN(6) {
	case 0:
		v.Prepared = nil
	case 1:
		if k := len(v.Prepared); k > 0 {
			v.Prepared = slices.Delete(v.Prepared, l.rng.IntN(k), k)
		}
	case 2:
		v.Stable = StableCert{}
		v.Prepared = slices.DeleteFunc(v.Prepared, func(c PreparedCert) bool { return c.Seq > l.n.cfg.LogWindow })
	case 3:
		v.Prepared = slices.DeleteFunc(l.certificates(), func(c PreparedCert) bool {
			return c.Seq <= v.Stable.Seq || c.Seq > v.Stable.Seq+l.n.cfg.LogWindow || c.View >= v.View
		})
	case 4:
		if k := len(v.Prepared); k > 0 { // a repeated certificate
			v.Prepared = append(v.Prepared, v.Prepared[k-1])
		}
	case 5:
		v.View++
	}
	return l.sign(&v)
}

// mutateNewView changes O, or V, or both.
func (l *liar) mutateNewView(m *NewView) Message {
	v := *m
	v.Proposals = slices.Clone(m.Proposals)
	v.ViewChanges = slices.Clone(m.ViewChanges)
	switch k := len(v.Proposals); l.rng.IntN(5) {
	case 0:
		if k > 0 {
			v.Proposals[l.rng.IntN(k)].Digest = NullDigest
		}
	case 1:
		if k > 0 {
			v.Proposals[l.rng.IntN(k)].Digest = l.digest(1)
		}
	case 2:
		if k > 1 {
			v.Proposals[0], v.Proposals[k-1] = v.Proposals[k-1], v.Proposals[0]
		}
	case 3:
		l.swapViewChange(&v)
	case 4:
		v.ViewChanges[0] = v.ViewChanges[len(v.ViewChanges)-1]
	}
	return l.sign(&v)
}

// swapViewChange puts another view change of the same replica and view into V, and computes O for it as it must be: a
// lie that follows all rules.
func (l *liar) swapViewChange(v *NewView) {
	for _, m := range l.heard {
		if vc, ok := m.(*ViewChange); ok && vc.View == v.View {
			for i := range v.ViewChanges {
				if v.ViewChanges[i].Replica == vc.Replica {
					v.ViewChanges[i] = *vc
				}
			}
		}
	}
	v.Proposals = nil
	for _, d := range chosenDigests(v.ViewChanges) {
		v.Proposals = append(v.Proposals, Proposal{Digest: d})
	}
}
