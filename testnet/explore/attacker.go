package explore

import (
	"slices"

	"tagma/pbft"
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
func (a *alphabet) proposed(k *knowledge, v pbft.View, s pbft.Seq, d value) bool {
	p := a.configs[0].Primary(v)
	return p == a.byzantine || k[p].propose[v][s-1] == d
}

// preparers lists the backups whose prepares somebody can show, the attacker among them.
func (a *alphabet) preparers(k *knowledge, v pbft.View, s pbft.Seq, d value) []pbft.ReplicaID {
	var ids []pbft.ReplicaID
	for id := range pbft.ReplicaID(replicas) {
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
func (a *alphabet) proofs(k *knowledge, below pbft.View, s pbft.Seq) []proof {
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
func (a *alphabet) certificate(k *knowledge, s pbft.Seq, p proof) pbft.PreparedCert {
	d := a.digest(s, p.value)
	at := a.base + s
	statement := &pbft.PrePrepare{View: p.view, Seq: at, Digest: d}
	a.sign(a.configs[0].Primary(p.view), statement)
	cert := pbft.PreparedCert{View: p.view, Seq: at, Digest: d, PrePrepare: statement.Sig}
	for _, id := range a.preparers(k, p.view, s, p.value)[:quorum-1] {
		vote := &pbft.Prepare{View: p.view, Seq: at, Digest: d, Replica: id}
		a.sign(id, vote)
		cert.Prepares = append(cert.Prepares, pbft.Endorsement{Replica: id, Sig: vote.Sig})
	}
	return cert
}

// lyingChanges returns the attacker's view changes for a view: with every choice of certificates. It needs one correct
// replica's Suspect beside its own, and takes the lowest that serves.
func (a *alphabet) lyingChanges(k *knowledge, u pbft.View) []int32 {
	if a.byzantine == nobody {
		return nil
	}
	witness, seen, found := k.witness(u)
	if !found {
		return nil
	}
	plain := letter{kind: pbft.TypeViewChange, by: a.byzantine, view: u}
	if seen >= u {
		plain.ahead[witness] = seen + 1
	}
	list := []letter{plain}
	if a.base > 0 && k.based() {
		list[0].stable = a.base
	}
	for s := 1; s <= a.slots && list[0].stable == a.base; s++ {
		var longer []letter
		for _, p := range a.proofs(k, u, pbft.Seq(s)) {
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
		numbers = append(numbers, a.forge(l, func() pbft.Message { return a.change(k, l, witness, seen) }))
	}
	return numbers
}

// change builds the view change that a letter stands for.
func (a *alphabet) change(k *knowledge, l letter, witness pbft.ReplicaID, seen pbft.View) pbft.Message {
	m := &pbft.ViewChange{View: l.view, Replica: l.by, Suspects: a.justification(l.view, witness, seen)}
	if l.stable > 0 {
		m.Stable = a.moved
	}
	for i, p := range l.proof {
		if p.value != none {
			m.Prepared = append(m.Prepared, a.certificate(k, pbft.Seq(i+1), p))
		}
	}
	return a.sign(l.by, m)
}

// witness is the correct replica whose Suspect justifies a view beside the attacker's, with the lowest view that serves.
func (k *knowledge) witness(u pbft.View) (witness pbft.ReplicaID, seen pbft.View, found bool) {
	seen = maxViews
	for id, s := range k {
		for v := u - min(u, 1); s != nil && v < seen; v++ {
			if s.suspects[v] {
				witness, seen, found = pbft.ReplicaID(id), v, true
			}
		}
	}
	return witness, seen, found
}

// justification is the attacker's Suspect and its witness's.
func (a *alphabet) justification(u pbft.View, witness pbft.ReplicaID, seen pbft.View) (list []pbft.Suspect) {
	for id := range pbft.ReplicaID(replicas) {
		s := &pbft.Suspect{View: u - 1, Replica: id}
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
func (a *alphabet) forge(l letter, m func() pbft.Message) int32 {
	k, err := a.number(l, m)
	if err != nil {
		panic("explore: the attacker builds what nobody takes: " + err.Error())
	}
	return k
}

// vote numbers the attacker's own pre-prepare, prepare, commit or suspect.
func (a *alphabet) vote(kind pbft.Type, v pbft.View, s pbft.Seq, d value) int32 {
	l := letter{kind: kind, by: a.byzantine, view: v, seq: s, value: d}
	if k, ok := a.numbers[l]; ok {
		return k
	}
	return a.forge(l, func() pbft.Message {
		var m pbft.Message
		switch kind {
		case pbft.TypePrePrepare:
			m = &pbft.PrePrepare{View: v, Seq: a.base + s, Digest: a.digest(s, d), Body: a.bodies[s][d]}
		case pbft.TypePrepare:
			m = &pbft.Prepare{View: v, Seq: a.base + s, Digest: a.digest(s, d), Replica: l.by}
		case pbft.TypeCommit:
			m = &pbft.Commit{View: v, Seq: a.base + s, Digest: a.digest(s, d), Replica: l.by}
		default:
			m = &pbft.Suspect{View: v, Replica: l.by}
		}
		return a.sign(l.by, m)
	})
}
