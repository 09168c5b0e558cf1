package explore

import (
	"slices"

	"tagma/pbft/wire"
)

// What the Byzantine replica can send. It signs with its own key only: everything of others that it uses, they said. Its
// knowledge is everything that the correct replicas ever sent, whether or not it was delivered to anybody.

// knowledge is what the correct replicas have shown, by replica; nil at the attacker's own place.
type knowledge [replicas]*shown

// based reports whether somebody can show the stable checkpoint at the base.
func (k *knowledge) based() bool {
	return slices.ContainsFunc(k[:], func(s *shown) bool { return s != nil && s.based })
}

// proposed reports whether somebody can show a pre-prepare.
func (a *alphabet) proposed(k *knowledge, v wire.View, s wire.Seq, d value) bool {
	p := a.configs[0].Primary(v)
	return p == a.byzantine || k[p].propose[v][s-1] == d
}

// preparers lists the backups whose prepares somebody can show, the attacker among them.
func (a *alphabet) preparers(k *knowledge, v wire.View, s wire.Seq, d value) []wire.ReplicaID {
	var ids []wire.ReplicaID
	for id := range wire.ReplicaID(replicas) {
		if id == a.configs[0].Primary(v) {
			continue
		}
		if id == a.byzantine || k[id].prepare[v][s-1] == d {
			ids = append(ids, id)
		}
	}
	return ids
}

// proofs lists the prepared certificates below a view that can be put together for a slot, and the choice of none: a liar
// may leave out what it knows, or show what is old.
func (a *alphabet) proofs(k *knowledge, below wire.View, s wire.Seq) []proof {
	list := []proof{{}}
	for v := range below {
		for d := null; d <= second; d++ {
			if a.proposed(k, v, s, d) && len(a.preparers(k, v, s, d)) >= quorum-1 {
				list = append(list, proof{v, d})
			}
		}
	}
	return list
}

// certificate puts together a prepared certificate that proofs lists.
func (a *alphabet) certificate(k *knowledge, s wire.Seq, p proof) wire.PreparedCert {
	d := a.digest(s, p.value)
	at := a.base + s
	statement := &wire.PrePrepare{View: p.view, Seq: at, Digest: d}
	a.sign(a.configs[0].Primary(p.view), statement)
	cert := wire.PreparedCert{View: p.view, Seq: at, Digest: d, PrePrepare: statement.Sig}
	for _, id := range a.preparers(k, p.view, s, p.value)[:quorum-1] {
		vote := &wire.Prepare{View: p.view, Seq: at, Digest: d, Replica: id}
		a.sign(id, vote)
		cert.Prepares = append(cert.Prepares, wire.Endorsement{Replica: id, Sig: vote.Sig})
	}
	return cert
}

// lyingChanges returns the attacker's view changes for a view: with every choice of certificates. It needs one correct
// replica's Suspect beside its own, and takes the lowest that serves.
func (a *alphabet) lyingChanges(k *knowledge, u wire.View) []int32 {
	if a.byzantine == nobody {
		return nil
	}
	witness, seen, found := k.witness(u)
	if !found {
		return nil
	}
	plain := letter{kind: wire.TypeViewChange, by: a.byzantine, view: u}
	if seen >= u {
		plain.ahead[witness] = seen + 1
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
		numbers = append(numbers, a.forge(l, func() wire.Message { return a.change(k, l, witness, seen) }))
	}
	return numbers
}

// change builds the view change that a letter stands for.
func (a *alphabet) change(k *knowledge, l letter, witness wire.ReplicaID, seen wire.View) wire.Message {
	m := &wire.ViewChange{View: l.view, Replica: l.by, Suspects: a.justification(l.view, witness, seen)}
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

// witness is the correct replica whose Suspect justifies a view beside the attacker's, with the lowest view that serves.
func (k *knowledge) witness(u wire.View) (witness wire.ReplicaID, seen wire.View, found bool) {
	seen = maxViews
	for id, s := range k {
		for v := u - min(u, 1); s != nil && v < seen; v++ {
			if s.suspects[v] {
				witness, seen, found = wire.ReplicaID(id), v, true
			}
		}
	}
	return witness, seen, found
}

// justification is the attacker's Suspect and its witness's.
func (a *alphabet) justification(u wire.View, witness wire.ReplicaID, seen wire.View) (list []wire.Suspect) {
	for id := range wire.ReplicaID(replicas) {
		s := &wire.Suspect{View: u - 1, Replica: id}
		switch id {
		case witness:
			s.View = seen
		case a.byzantine:
		default:
			continue
		}
		a.sign(id, s)
		list = append(list, *s)
	}
	return list
}

// forge numbers a letter of the attacker. What it builds is well formed, or the search would be weaker than it says.
func (a *alphabet) forge(l letter, m func() wire.Message) int32 {
	k, err := a.number(l, m)
	if err != nil {
		panic("explore: the attacker builds what nobody takes: " + err.Error())
	}
	return k
}

// vote numbers the attacker's own pre-prepare, prepare, commit or suspect.
func (a *alphabet) vote(kind wire.Type, v wire.View, s wire.Seq, d value) int32 {
	l := letter{kind: kind, by: a.byzantine, view: v, seq: s, value: d}
	if k, ok := a.numbers[l]; ok {
		return k
	}
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
