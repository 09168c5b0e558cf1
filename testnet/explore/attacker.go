package explore

import (
	"slices"

	"tagma/pbft/wire"
)

// This file has what the Byzantine replica can send. It signs only with its own key. If it uses a statement of another
// replica, that replica has really signed it. It knows every message that a correct replica has ever sent, whether or
// not the message was delivered.

// knowledge is what the correct replicas have sent, by replica; nil at the attacker's own position.
type knowledge [replicas]*shown

// based reports whether some replica can prove that the checkpoint at the base is stable.
func (k *knowledge) based() bool {
	return slices.ContainsFunc(k[:], func(s *shown) bool { return s != nil && s.based })
}

// voters lists the correct replicas that have prepared or committed a value.
func (k *knowledge) voters(kind wire.Type, v wire.View, s wire.Seq, d value) (list []wire.ReplicaID) {
	for id, said := range k {
		if said != nil && said.votes(kind)[v][s-1] == d {
			list = append(list, wire.ReplicaID(id))
		}
	}
	return list
}

// joins reports whether the attacker can add its own vote. It cannot add a prepare if it is the primary.
func (a *alphabet) joins(kind wire.Type, v wire.View) bool {
	return a.liars() > 0 && (kind == wire.TypeCommit || a.configs[0].Primary(v) != a.byzantine)
}

// proposed reports whether some replica has a pre-prepare for the value.
func (a *alphabet) proposed(k *knowledge, v wire.View, s wire.Seq, d value) bool {
	p := a.configs[0].Primary(v)
	return p == a.byzantine || k[p].propose[v][s-1] == d
}

// preparers lists the backups from which there are prepares, including the attacker.
func (a *alphabet) preparers(k *knowledge, v wire.View, s wire.Seq, d value) []wire.ReplicaID {
	ids := k.voters(wire.TypePrepare, v, s, d)
	if a.joins(wire.TypePrepare, v) {
		ids = append(ids, a.byzantine)
		slices.Sort(ids)
	}
	return ids
}

// proofs lists the prepared certificates for a slot, of views below a given one, that the attacker can make. The list
// includes the choice to show none: the attacker may leave out a certificate that it knows, or show an old one.
func (a *alphabet) proofs(k *knowledge, below wire.View, s wire.Seq) []proof {
	list := []proof{{}}
	for v := range below {
		for d := null; d <= second; d++ {
			if a.proposed(k, v, s, d) && len(a.preparers(k, v, s, d)) >= a.quorum-1 {
				list = append(list, proof{v, d})
			}
		}
	}
	return list
}

// certificate makes a prepared certificate that proofs lists.
func (a *alphabet) certificate(k *knowledge, s wire.Seq, p proof) wire.PreparedCert {
	d, at, by := a.digest(s, p.value), a.base+s, a.configs[0].Primary(p.view)
	statement := &wire.PrePrepare{View: p.view, Seq: at, Digest: d}
	cert := wire.PreparedCert{View: p.view, Seq: at, Digest: d, PrePrepare: a.signature(by, statement)}
	for _, id := range a.preparers(k, p.view, s, p.value)[:a.quorum-1] {
		vote := &wire.Prepare{View: p.view, Seq: at, Digest: d, Replica: id}
		cert.Prepares = append(cert.Prepares, wire.Endorsement{Replica: id, Sig: a.signature(id, vote)})
	}
	return cert
}

// lyingChanges returns the view changes that the attacker can send for a view, with every choice of certificates. It
// needs the Suspect of one correct replica in addition to its own. It takes the lowest one that justifies the view.
func (a *alphabet) lyingChanges(k *knowledge, u wire.View) []int32 {
	witness := a.witnesses(k, u, nobody, 1)
	if a.liars() == 0 || len(witness) == 0 {
		return nil
	}
	plain := letter{kind: wire.TypeViewChange, by: a.byzantine, view: u}
	if by := a.letters[witness[0]]; by.view >= u {
		plain.ahead[by.by] = by.view + 1
	}
	list := []letter{plain}
	if a.base > 0 && k.based() {
		list[0].stable = a.base
	}
	for s := 1; s <= a.slots && list[0].stable == a.base; s++ {
		var longer []letter
		for _, p := range a.proofs(k, u, wire.Seq(s)) {
			for _, l := range list {
				l.proof[s-1] = p
				longer = append(longer, l)
			}
		}
		list = longer
	}
	if list[0].stable > 0 {
		list = append(list, plain)
	}
	numbers := make([]int32, 0, len(list))
	for _, l := range list {
		numbers = append(numbers, a.forge(l, func() wire.Message { return a.change(k, l, witness[0]) }))
	}
	return numbers
}

// change builds the view change for which a letter stands.
func (a *alphabet) change(k *knowledge, l letter, witness int32) wire.Message {
	m := &wire.ViewChange{View: l.view, Replica: l.by, Suspects: a.justification(l.view, witness)}
	if l.stable > 0 {
		m.Stable = a.moved
	}
	for i, p := range l.proof {
		if p.value != none {
			m.Prepared = append(m.Prepared, a.certificate(k, wire.Seq(i+1), p))
		}
	}
	return a.sign(l.by, m)
}

// witnesses returns at most so many Suspects that justify view u: the lowest one of each correct replica except but.
func (a *alphabet) witnesses(k *knowledge, u wire.View, but wire.ReplicaID, most int) (list []int32) {
	var heard [replicas]bool
	for v := u - min(u, 1); v < maxViews; v++ {
		for id, s := range k {
			if by := wire.ReplicaID(id); s != nil && by != but && s.suspects[v] && !heard[id] && len(list) < most {
				heard[id] = true
				list = append(list, a.numbers[letter{kind: wire.TypeSuspect, by: by, view: v}])
			}
		}
	}
	return list
}

// justification returns the attacker's Suspect and its witness's, by replica.
func (a *alphabet) justification(u wire.View, witness int32) []wire.Suspect {
	own := &wire.Suspect{View: u - 1, Replica: a.byzantine}
	a.sign(a.byzantine, own)
	list := []wire.Suspect{*own, *a.mail[witness].Message().(*wire.Suspect)}
	slices.SortFunc(list, func(a, b wire.Suspect) int { return int(a.Replica) - int(b.Replica) })
	return list
}

// forge returns the number of the attacker's letter. It panics if the message is invalid, because then the attacker of
// this search could do less than doc.go says.
func (a *alphabet) forge(l letter, m func() wire.Message) int32 {
	k, err := a.number(l, m)
	if err != nil {
		panic("explore: the attacker builds what nobody takes: " + err.Error())
	}
	return k
}

// vote returns the number of the letter for the attacker's own pre-prepare, prepare, commit or Suspect.
func (a *alphabet) vote(kind wire.Type, v wire.View, s wire.Seq, d value) int32 {
	l := letter{kind: kind, by: a.byzantine, view: v, seq: s, value: d}
	return a.forge(l, func() wire.Message {
		var m wire.Message
		switch kind {
		case wire.TypePrePrepare:
			m = &wire.PrePrepare{View: v, Seq: a.base + s, Digest: a.digest(s, d), Body: a.bodies[s][d]}
		case wire.TypePrepare:
			m = &wire.Prepare{View: v, Seq: a.base + s, Digest: a.digest(s, d), Replica: l.by}
		case wire.TypeCommit:
			m = &wire.Commit{View: v, Seq: a.base + s, Digest: a.digest(s, d), Replica: l.by}
		default:
			m = &wire.Suspect{View: v, Replica: l.by}
		}
		return a.sign(l.by, m)
	})
}
