package pbft

import (
	"slices"

	"tagma/pbft/wire"
)

// mutate returns a changed copy of a message. If the message is this replica's own, the copy is signed with this
// replica's key. A changed message of another replica keeps its old signature and must be refused.
func (l *liar) mutate(m wire.Message) wire.Message {
	switch m := m.(type) {
	case *wire.PrePrepare:
		return l.mutatePrePrepare(m)
	case *wire.Prepare:
		v := *m
		l.tamper(&v.View, &v.Seq, &v.Digest, &v.Replica)
		return l.sign(&v)
	case *wire.Commit:
		v := *m
		l.tamper(&v.View, &v.Seq, &v.Digest, &v.Replica)
		return l.sign(&v)
	case *wire.Checkpoint:
		v := *m
		l.tamper(new(wire.View), &v.Seq, &v.Digest, &v.Replica)
		return l.sign(&v)
	case *wire.Suspect:
		return l.sign(&wire.Suspect{View: l.view(), Replica: l.n.id})
	case *wire.ViewChange:
		return l.mutateViewChange(m)
	case *wire.NewView:
		return l.mutateNewView(m)
	case *wire.Status:
		v := *m
		v.View, v.Executed, v.Stable = l.view(), l.seq(), l.seq()
		v.Active, v.Helper = l.rng.IntN(2) == 0, wire.ReplicaID(l.rng.IntN(l.n.cfg.N()))
		return &v
	case *wire.CertifiedBody:
		v := *m
		if bs := l.bodies(); len(bs) > 0 {
			v.Body = bs[l.rng.IntN(len(bs))]
		}
		if l.rng.IntN(2) == 0 {
			v.Cert = nil
		}
		return &v
	case *wire.Fetch:
		return &wire.Fetch{Seq: l.seq(), Digest: l.digest(m.Seq)}
	case *wire.HeldBy:
		return l.mutateHeldBy(m)
	case *wire.Held:
		return &wire.Held{Nonce: m.Nonce + l.rng.Uint64N(2), Above: l.seq()}
	case *wire.Slots:
		return &wire.Slots{From: m.From, Next: m.From + wire.Seq(l.rng.IntN(3))}
	case *wire.Recover:
		return &wire.Recover{Until: l.seq()}
	}
	return m
}

// mutateHeldBy makes a false answer to the question of a start. It leaves out statements that the answer would show,
// says at random whether the replica has lost nothing, or names another asker.
func (l *liar) mutateHeldBy(m *wire.HeldBy) wire.Message {
	v := *m
	switch l.rng.IntN(6) {
	case 0:
		v.Said = nil
	case 1:
		v.View, v.Suspects = 0, nil
	case 2:
		v.Stable = wire.StableCert{}
	case 3:
		v.Prepared, v.Commit = nil, nil
	case 4:
		v = wire.HeldBy{Nonce: m.Nonce, Of: m.Of, Whole: true}
	case 5:
		v.Of = wire.ReplicaID(l.rng.IntN(l.n.cfg.N()))
	}
	v.Whole = l.rng.IntN(4) > 0
	return &v
}

// tamper changes one field of a vote, and signs the vote as this replica.
func (l *liar) tamper(v *wire.View, s *wire.Seq, d *wire.Digest, by *wire.ReplicaID) {
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

func (l *liar) mutatePrePrepare(m *wire.PrePrepare) wire.Message {
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
			v.Body = &wire.Body{Time: m.Body.Time + 1, Requests: m.Body.Requests}
			if l.rng.IntN(4) == 0 {
				v.Body.Time += int64(l.n.cfg.ViewTimeout) * 100
			}
			v.Digest = v.Body.Digest()
		}
	}
	return l.sign(&v)
}

// mutateViewChange leaves out certificates, replaces them by those of other replicas, or shows an old stable checkpoint.
func (l *liar) mutateViewChange(m *wire.ViewChange) wire.Message {
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
		v.Stable = wire.StableCert{}
		v.Prepared = slices.DeleteFunc(v.Prepared, func(c wire.PreparedCert) bool { return c.Seq > l.n.cfg.LogWindow })
	case 3:
		v.Prepared = slices.DeleteFunc(l.certificates(), func(c wire.PreparedCert) bool {
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
func (l *liar) mutateNewView(m *wire.NewView) wire.Message {
	v := *m
	v.Proposals = slices.Clone(m.Proposals)
	v.ViewChanges = slices.Clone(m.ViewChanges)
	switch k := len(v.Proposals); l.rng.IntN(5) {
	case 0:
		if k > 0 {
			v.Proposals[l.rng.IntN(k)].Digest = wire.NullDigest
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

// swapViewChange replaces a view change in V by another one of the same replica and view, and computes O as it follows
// from the new V. So the NewView breaks no rule, although it is a lie.
func (l *liar) swapViewChange(v *wire.NewView) {
	for _, m := range l.heard {
		if vc, ok := m.(*wire.ViewChange); ok && vc.View == v.View {
			for i := range v.ViewChanges {
				if v.ViewChanges[i].Replica == vc.Replica {
					v.ViewChanges[i] = *vc
				}
			}
		}
	}
	v.Proposals = nil
	for _, d := range wire.Choose(v.ViewChanges) {
		v.Proposals = append(v.Proposals, wire.Proposal{Digest: d})
	}
}
