package explore

import (
	"slices"

	"tagma/pbft/wire"
)

// The moves of one replica. Votes come by the quorum: what a correct replica says depends on whether a quorum is complete,
// never on the votes before the last, and everything that was ever sent can be delivered at any time. So every run in
// which votes trickle in says the same as one in which those that complete a quorum come together, and only the latter
// are searched. Messages that the receiver would keep for later are likewise delivered when they count.

// offers collects a replica's moves.
type offers struct {
	a     *alphabet
	k     *knowledge
	id    wire.ReplicaID
	s     *local
	views wire.View
	told  [replicas]int32 // what the others answer if this one has forgotten everything
	list  []move
}

// moves lists what can happen to a replica, given what the others have shown. The order is fixed: a replay counts in it.
func (o *offers) moves() []move {
	o.list = o.list[:0]
	if o.s.asking {
		o.answers()
		return o.list
	}
	o.normalCase()
	o.leaving()
	o.joining()
	o.entering()
	if o.s.silent {
		o.list = append(o.list, move{kind: expire})
	}
	if o.a.base > 0 && !o.s.shown.based && o.k.based() {
		o.list = append(o.list, stableMove())
	}
	return o.list
}

func (o *offers) deliver(letters ...int32) { o.list = append(o.list, deliverMove(letters...)) }

func (o *offers) primary(v wire.View) wire.ReplicaID { return o.a.configs[0].Primary(v) }

// normalCase offers pre-prepares, completed quorums and missing bodies (§4.2, N3, N7).
func (o *offers) normalCase() {
	for i := range o.a.slots {
		seq, st := wire.Seq(i+1), &o.s.slots[i]
		if st.lacksBody != none {
			o.list = append(o.list, move{kind: fetch, seq: seq, value: st.lacksBody})
		}
		if o.s.active && st.accepted == none && o.primary(o.s.view) != o.id {
			o.prePrepares(seq)
		}
		if o.s.active && st.accepted != none && !st.commitSent && st.lacksBody != st.accepted {
			o.prepares(seq, st.accepted)
		}
		if st.certified == none {
			o.commits(seq)
		}
	}
}

// prePrepares offers the primary's pre-prepare for a slot that has none. A second one with another digest would only make
// the replica suspect, which its timers have done already.
func (o *offers) prePrepares(seq wire.Seq) {
	v := o.s.view
	if p := o.primary(v); p != o.a.byzantine {
		if o.k[p].bare[v][seq-1] {
			o.deliver(o.a.numbers[letter{kind: wire.TypePrePrepare, by: p, view: v, seq: seq, value: o.k[p].propose[v][seq-1]}])
		}
		return
	}
	for d := first; d <= second; d++ {
		o.deliver(o.a.vote(wire.TypePrePrepare, v, seq, d))
	}
}

// prepares offers the prepares that complete a quorum with the own one, correct replicas' first.
func (o *offers) prepares(seq wire.Seq, d value) {
	v, missing := o.s.view, quorum-1
	if own := &o.s.slots[seq-1].prepare; own.value == d && own.view == v {
		missing--
	}
	var votes []int32
	for id, s := range o.k {
		by := wire.ReplicaID(id)
		if s != nil && by != o.id && by != o.primary(v) && s.prepare[v][seq-1] == d {
			votes = append(votes, o.a.numbers[letter{kind: wire.TypePrepare, by: by, view: v, seq: seq, value: d}])
		}
	}
	if o.a.liars() > 0 && o.primary(v) != o.a.byzantine {
		votes = append(votes, o.a.vote(wire.TypePrepare, v, seq, d))
	}
	if len(votes) >= missing {
		o.deliver(votes[:missing]...)
	}
}

// commits offers, for each view and value, the commits that complete a certificate.
func (o *offers) commits(seq wire.Seq) {
	for v := range o.views {
		for d := null; d <= fourth; d++ {
			missing := quorum
			if own := &o.s.slots[seq-1].commit; own.value == d && own.view == v {
				missing--
			}
			var votes []int32
			for id, s := range o.k {
				if by := wire.ReplicaID(id); s != nil && by != o.id && s.commit[v][seq-1] == d {
					votes = append(votes, o.a.numbers[letter{kind: wire.TypeCommit, by: by, view: v, seq: seq, value: d}])
				}
			}
			if len(votes) > 0 && len(votes)+o.a.liars() >= missing {
				if o.a.liars() > 0 {
					votes = append(votes, o.a.vote(wire.TypeCommit, v, seq, d))
				}
				o.deliver(votes[:missing]...)
			}
		}
	}
}

// leaving offers the Suspects that justify each higher view (V7): the attacker's, if there is one, and those of correct
// replicas, of which this may be one.
func (o *offers) leaving() {
	for u := o.s.view + 1; u < o.views; u++ {
		var suspects []int32
		if o.a.liars() > 0 {
			suspects = append(suspects, o.a.vote(wire.TypeSuspect, u-1, 0, none))
		}
		missing := weak - len(suspects)
		if o.s.view == u-1 && o.s.shown.suspects[u-1] && (o.s.lives == 0 || o.s.suspects) { // its own counts
			missing--
		}
		if others := o.witnesses(u, missing); len(others) == missing {
			o.deliver(append(suspects, others...)...)
		}
	}
}

// witnesses are Suspects of other correct replicas that justify a view, the lowest of each, at most so many.
func (o *offers) witnesses(u wire.View, most int) (list []int32) {
	var heard [replicas]bool
	for v := u - 1; v < o.views; v++ {
		for id, s := range o.k {
			if by := wire.ReplicaID(id); s != nil && by != o.id && s.suspects[v] && !heard[id] && len(list) < most {
				heard[id] = true
				list = append(list, o.a.numbers[letter{kind: wire.TypeSuspect, by: by, view: v}])
			}
		}
	}
	return list
}

// joining offers others' view changes: one for a higher view takes the replica there, and two for its own complete the
// quorum from which a primary builds its new view, and the others' new-view timers run.
func (o *offers) joining() {
	for u := max(o.s.view, 1); u < o.views; u++ {
		correct := o.changes(u)
		if u > o.s.view {
			for _, k := range correct {
				o.deliver(k)
			}
			continue
		}
		if o.primary(u) != o.id && u+1 == o.views {
			continue // its timer would be of no use within the bounds
		}
		if o.s.active || o.s.shown.suspects[u] || o.s.shown.newView[u] != absent {
			continue
		}
		lies := o.a.lyingChanges(o.k, u)
		if o.primary(u) != o.id && len(lies) > 0 {
			lies = lies[:1] // what is in it does not matter to a timer
		}
		if o.s.lives > 0 && !o.s.asks {
			o.three(correct, lies)
			continue
		}
		for _, p := range o.a.apart(correct, 2) {
			o.deliver(p...)
		}
		for _, k := range correct {
			for _, lie := range lies {
				o.deliver(k, lie)
			}
		}
	}
}

// three offers view changes of three others, without which the new-view timer of a replica that keeps its own back does not
// run.
func (o *offers) three(correct, lies []int32) {
	all := o.a.apart(correct, 3)
	for _, p := range o.a.apart(correct, 2) {
		for _, set := range all {
			if slices.Equal(set[:2], p) {
				o.deliver(set...)
			}
		}
		for _, lie := range lies {
			o.deliver(p[0], p[1], lie)
		}
	}
}

// changes lists the other correct replicas' view changes for a view.
func (o *offers) changes(u wire.View) []int32 {
	var list []int32
	for id, s := range o.k {
		if wire.ReplicaID(id) != o.id {
			list = s.changes(u, list)
		}
	}
	return list
}

// entering offers new views (V4).
func (o *offers) entering() {
	for v := max(o.s.view, 1); v < o.views; v++ {
		p := o.primary(v)
		switch {
		case p == o.id:
		case p == o.a.byzantine: // also a second one for a view that is active
			for _, k := range o.a.lyingNewViews(o.k, v) {
				o.deliver(k)
			}
		case o.k[p].newView[v] != absent && !(v == o.s.view && o.s.active):
			o.deliver(o.k[p].newView[v])
		}
	}
}
