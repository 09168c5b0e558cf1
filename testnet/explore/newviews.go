package explore

import (
	"slices"

	"tagma/pbft/wire"
)

// lyingNewViews returns the NewViews that the attacker can send as the primary of a view. For every set of Q view
// changes that it can collect, there is the NewView with the right O, and NewViews with a wrong O.
func (a *alphabet) lyingNewViews(k *knowledge, v wire.View) []int32 {
	var numbers []int32
	add := func(n int32) {
		if !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
	}
	correct, lies := k.changes(v, nobody), []int32(nil)
	if len(a.apart(correct, a.quorum-1)) > 0 {
		lies = a.lyingChanges(k, v)
	}
	for _, set := range a.gather(correct, lies, a.quorum) {
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

// gather lists all sets of so many view changes of different replicas. At most one of them is the attacker's.
func (a *alphabet) gather(correct, lies []int32, size int) [][]int32 {
	sets := a.apart(correct, size)
	for _, some := range a.apart(correct, size-1) {
		for _, lie := range lies {
			sets = append(sets, append(slices.Clone(some), lie))
		}
	}
	return sets
}

// changes lists the view changes for a view of all correct replicas except but. A replica that has forgotten may have
// two (D8.10).
func (k *knowledge) changes(v wire.View, but wire.ReplicaID) (list []int32) {
	for id, s := range k {
		if s == nil || wire.ReplicaID(id) == but {
			continue
		}
		for _, n := range []int32{s.former[v], s.change[v]} {
			if n != 0 {
				list = append(list, n)
			}
		}
	}
	return list
}

// apart lists all sets of so many letters of different replicas, in order.
func (a *alphabet) apart(list []int32, size int) [][]int32 {
	return slices.DeleteFunc(subsets(list, size), func(set []int32) bool {
		for i := 1; i < len(set); i++ {
			if a.letters[set[i-1]].by == a.letters[set[i]].by { // letters of one replica are next to each other
				return true
			}
		}
		return false
	})
}

// highestStable returns the stable checkpoint above which a NewView with these view changes begins.
func (a *alphabet) highestStable(set []int32) (s wire.Seq) {
	for _, k := range set {
		s = max(s, a.letters[k].stable)
	}
	return s
}

// required implements V3 independently of the core. For each slot it returns the value that prepared in the highest
// view. If there is none, and a higher slot has prepared, it returns null.
func (a *alphabet) required(set []int32) (order [maxSlots]value) {
	for i := maxSlots - 1; i >= 0; i-- {
		best := proof{}
		for _, k := range set {
			if p := a.letters[k].proof[i]; p.value != none && (best.value == none || p.view > best.view) {
				best = p
			}
		}
		if order[i] = best.value; order[i] == none && i < maxSlots-1 && order[i+1] != none {
			order[i] = null
		}
	}
	return order
}

// wrong lists other O of the same length. An O of another length is refused before it reaches the core.
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
	slices.SortFunc(set, func(m, n int32) int { return int(a.letters[m].by) - int(a.letters[n].by) })
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
