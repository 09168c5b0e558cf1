package explore

import (
	"slices"

	"tagma/pbft/wire"
)

// lyingNewViews returns what the attacker can send as the primary of a view: for every Q view changes that it can gather,
// the new view with the O that they require, and with wrong ones.
func (a *alphabet) lyingNewViews(k *knowledge, v wire.View) []int32 {
	var numbers []int32
	add := func(n int32) {
		if !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	for _, set := range a.gather(k, v) {
		right := a.required(set)
		l := letter{kind: wire.TypeNewView, by: a.byzantine, view: v, order: right, right: right, stable: a.highestStable(set)}
		add(a.forge(l, func() wire.Message { return a.newView(l, set) }))
		for _, order := range a.wrong(right) {
			l.order = order
			add(a.forge(l, func() wire.Message { return a.newView(l, set) }))
		}
	}
	return numbers
}

// gather lists all sets of Q view changes for a view, by replica number: the correct ones' alone, and two of them with one
// of the attacker's.
func (a *alphabet) gather(k *knowledge, v wire.View) [][]int32 {
	var correct []int32
	for _, s := range k {
		correct = s.changes(v, correct)
	}
	pairs := a.apart(correct, quorum-1)
	if len(pairs) == 0 {
		return nil
	}
	sets := a.apart(correct, quorum)
	for _, lie := range a.lyingChanges(k, v) {
		for _, p := range pairs {
			set := append(slices.Clone(p), lie)
			slices.SortFunc(set, func(m, n int32) int { return int(a.letters[m].by) - int(a.letters[n].by) })
			sets = append(sets, set)
		}
	}
	return sets
}

// changes appends the view changes of a replica for a view: of a forgotten life there may be one more (D8.10).
func (s *shown) changes(v wire.View, list []int32) []int32 {
	if s == nil {
		return list
	}
	for _, k := range []int32{s.former[v], s.change[v]} {
		if k != absent {
			list = append(list, k)
		}
	}
	return list
}

// apart lists all sets of so many letters of different replicas, in order.
func (a *alphabet) apart(list []int32, size int) [][]int32 {
	return slices.DeleteFunc(subsets(list, size), func(set []int32) bool {
		for i, k := range set[1:] {
			if a.letters[set[i]].by == a.letters[k].by { // the letters of one replica are side by side
				return true
			}
		}
		return false
	})
}

// highestStable is the stable checkpoint that a new view of these view changes begins above.
func (a *alphabet) highestStable(set []int32) (s wire.Seq) {
	for _, k := range set {
		s = max(s, a.letters[k].stable)
	}
	return s
}

// required is V3, written a second time: of each slot what prepared in the highest view, and null below the highest slot
// that prepared.
func (a *alphabet) required(set []int32) (order [maxSlots]value) {
	last := 0
	for i := range order {
		best := proof{}
		for _, k := range set {
			if p := a.letters[k].proof[i]; p.value != none && (best.value == none || p.view > best.view) {
				best = p
			}
		}
		if order[i] = best.value; best.value != none {
			last = i + 1
		}
	}
	for i := range last {
		if order[i] == none {
			order[i] = null
		}
	}
	return order
}

// wrong lists other O of the same length: a shorter or longer one is refused before it reaches the core.
func (a *alphabet) wrong(right [maxSlots]value) [][maxSlots]value {
	var list [][maxSlots]value
	for i, v := range right {
		for d := null; v != none && d <= second; d++ {
			if d != v {
				order := right
				order[i] = d
				list = append(list, order)
			}
		}
	}
	return list
}

func (a *alphabet) newView(l letter, set []int32) wire.Message {
	m := &wire.NewView{View: l.view}
	for _, k := range set {
		m.ViewChanges = append(m.ViewChanges, *a.mail[k].Message().(*wire.ViewChange))
	}
	for i, v := range l.order {
		if v != none {
			m.Proposals = append(m.Proposals, wire.Proposal{Digest: a.digest(wire.Seq(i+1), v)})
		}
	}
	return a.sign(l.by, m)
}
