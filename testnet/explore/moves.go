package explore

import (
	"tagma/pbft/wire"
)

// This file lists the moves of one replica. Votes are delivered as complete quorums. What a correct replica sends
// depends only on whether a quorum is complete, not on the votes before the last one, and every message that was sent
// can be delivered at any time. So for each run in which votes arrive one by one, there is a run in which complete
// quorums arrive at once and replicas send the same messages. Only such runs are searched. In the same way, messages
// that the receiver would keep for later are delivered only when the receiver uses them.

// offers collects a replica's moves.
type offers struct {
	a     *alphabet
	k     *knowledge
	id    wire.ReplicaID
	s     *local
	views wire.View
	told  [replicas]int32 // what the others answer if this replica has forgotten everything
	list  []move
}

// moves lists what can happen to a replica, given what the others have sent. A replay names a move by its position in
// this list.
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
		o.list = append(o.list, move{kind: stable})
	}
	return o.list
}

// deliver lists the move that delivers these letters.
func (o *offers) deliver(letters ...int32) {
	m := move{kind: deliver}
	copy(m.letters[:], letters)
	o.list = append(o.list, m)
}

func (o *offers) primary(v wire.View) wire.ReplicaID { return o.a.configs[0].Primary(v) }

// normalCase lists the moves of the normal case: pre-prepares, completed quorums and missing bodies (§4.2, N3, N7).
func (o *offers) normalCase() {
	for i := range o.a.slots {
		seq, st := wire.Seq(i+1), &o.s.slots[i]
		if st.lacksBody != none {
			o.list = append(o.list, move{kind: fetch, seq: seq, value: st.lacksBody})
		}
		if o.s.active && st.accepted == none && o.primary(o.s.view) != o.id {
			o.prePrepares(seq)
		}
		if !o.a.crash && o.s.active && st.accepted != none && !st.commitSent && st.lacksBody != st.accepted {
			o.complete(letter{kind: wire.TypePrepare, view: o.s.view, seq: seq, value: st.accepted}, st.prepare, o.a.quorum-1)
		}
		for v := range o.views {
			for d := null; d <= fourth && st.certified == none; d++ {
				o.complete(letter{kind: wire.TypeCommit, view: v, seq: seq, value: d}, st.commit, o.a.quorum)
			}
		}
	}
}

// prePrepares lists the primary's pre-prepare for a slot that has none. A second pre-prepare with another digest is not
// needed: it would only make the replica send a Suspect, which its timers have done already.
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

// complete lists the deliveries of so many votes, including the replica's own. Votes of correct replicas are used before
// the attacker's.
func (o *offers) complete(vote letter, own proof, missing int) {
	if own == (proof{vote.view, vote.value}) {
		missing--
	}
	var votes []int32
	for _, vote.by = range o.k.voters(vote.kind, vote.view, vote.seq, vote.value) {
		if vote.by != o.id {
			votes = append(votes, o.a.numbers[vote])
		}
	}
	if len(votes)+1 >= missing && o.a.joins(vote.kind, vote.view) {
		votes = append(votes, o.a.vote(vote.kind, vote.view, vote.seq, vote.value))
	}
	if len(votes) >= missing {
		o.deliver(votes[:missing]...)
	}
}

// leaving lists the deliveries of Suspects that justify each higher view (V7). They are those of correct replicas,
// including this one, and the attacker's, if there is one.
func (o *offers) leaving() {
	for u := o.s.view + 1; u < o.views; u++ {
		var suspects []int32
		if o.a.liars() > 0 {
			suspects = append(suspects, o.a.vote(wire.TypeSuspect, u-1, 0, none))
		}
		missing := o.a.weak - len(suspects)
		if o.s.view == u-1 && o.s.shown.suspects[u-1] && (o.s.lives == 0 || o.s.suspects) { // its own counts
			missing--
		}
		if others := o.a.witnesses(o.k, u, o.id, missing); len(others) == missing {
			o.deliver(append(suspects, others...)...)
		}
	}
}

// joining lists the deliveries of others' view changes. One for a higher view makes the replica change to that view. Two
// for its own view complete a quorum: the primary then builds its NewView, and on a backup the new-view timer starts.
func (o *offers) joining() {
	for u := max(o.s.view, 1); u < o.views; u++ {
		correct := o.k.changes(u, o.id)
		if u > o.s.view {
			for _, k := range correct {
				o.deliver(k)
			}
			continue
		}
		if o.primary(u) != o.id && u+1 == o.views {
			continue // within the bounds its timer would have no effect
		}
		if o.s.active || o.s.shown.suspects[u] || o.s.shown.newView[u] != 0 {
			continue
		}
		lies := o.a.lyingChanges(o.k, u)
		if o.primary(u) != o.id && len(lies) > 0 {
			lies = lies[:1] // for a timer the content of a view change does not matter
		}
		size := o.a.quorum - 1
		if o.s.lives > 0 && !o.s.asks { // a new life has not sent its own view change, so it needs three from others
			size = o.a.quorum
		}
		for _, set := range o.a.gather(correct, lies, size) {
			o.deliver(set...)
		}
	}
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
		case o.k[p].newView[v] != 0 && !(v == o.s.view && o.s.active):
			o.deliver(o.k[p].newView[v])
		}
	}
}
