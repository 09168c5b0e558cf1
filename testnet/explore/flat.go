package explore

import (
	"slices"

	"tagma/pbft/wire"
)

// Searches in which replicas forget are also sorted by level, but the level begins again at 0 when a life ends or
// begins. The reason is that a new life may send messages in a low view that others can use, although its former life
// had left that view. Within each such part of a run, the argument in classes.go holds.
//
// A loss has the level of the replica that forgets. An answer has the level of the replica that gives it, so its place
// among the moves of that replica does not change. States are merged only if they agree in everything that can be used:
// the votes that may complete a quorum, and the answers that a replica may still ask for.

// sorts returns the level of a move. It also sets the level of the run in next, which is the state after the move.
func (s *search) sorts(from state, i int, m move, next *state) wire.View {
	was, is := s.local(&from, i), s.local(next, i)
	level := is.level
	switch {
	case m.kind == forget:
		level = was.level
	case was.asking && m.kind == deliver:
		level = 0
		if by := s.a.letters[m.letters[0]].by; by != s.a.byzantine {
			level = s.local(&from, slices.Index(s.ids, by)).level
		}
	case m.kind == stable: // the lowest level of the replicas that make it together
		for j := range s.locals {
			if from.local[j] != next.local[j] {
				level = min(level, s.local(next, j).level)
			}
		}
	}
	if s.o.Exact && s.o.Amnesia > 0 {
		return level
	}
	if next.level = max(from.level, level); was.asking != is.asking {
		next.level = 0
	}
	return level
}

// mayAsk reports whether a replica may still ask what it has forgotten and need the answer of replica id. If id is
// nobody, any answer counts.
func (s *search) mayAsk(st *state, id wire.ReplicaID) bool {
	asks := int(st.forgets) < s.o.Amnesia
	for i := range s.locals {
		l := s.local(st, i)
		asks = asks || l.asking && (id == nobody || s.a.wants(l, id))
	}
	return asks
}

// urgent returns the replica whose move must come next, if there is one. The first answer comes directly after the loss,
// because moves in between could also come before the loss. The attacker's answer comes as soon as all others have
// answered.
func (s *search) urgent(st *state) (int, bool) {
	for i := range s.locals {
		l := s.local(st, i)
		if !l.asking || s.o.Exact {
			continue
		}
		correct := 0
		for _, k := range l.heard {
			if k != 0 {
				correct++
			}
		}
		if correct == 0 || correct == len(s.ids)-1 {
			return i, true
		}
	}
	return 0, false
}

// wasted reports whether a move delivers an answer of the attacker that is not the last one needed. Such a move need not
// be tried, because it can also come later.
func (s *search) wasted(i int, m move, next *state) bool {
	return !s.o.Exact && m.kind == deliver && s.a.letters[m.letters[0]].kind == wire.TypeHeldBy &&
		s.a.letters[m.letters[0]].by == s.a.byzantine && s.local(next, i).asking
}

// told lists what each of the others would answer to a replica now.
func (s *search) told(st *state, id wire.ReplicaID) (told [replicas]int32) {
	for i, ls := range s.locals {
		if ls.id != id {
			told[ls.id] = s.local(st, i).answers[id]
		}
	}
	return told
}

// ordersUpTo lists the quorums that can together order everything up to the base. Replica i must be the lowest correct
// replica of the quorum. All its members are active in the same view, the view's primary is one of them, and all may
// vote. Their votes are below the checkpoint, so they are left out.
func (s *search) ordersUpTo(st *state, i int) (list []move) {
	if s.a.base == 0 {
		return nil
	}
	view, free := s.local(st, i).view, []int32(nil)
	for j := range s.locals {
		if l := s.local(st, j); l.votes && !l.shown.based && l.view == view {
			free = append(free, int32(j))
		}
	}
	if len(free) == 0 || int(free[0]) > i {
		return nil
	}
	primary := s.a.configs[0].Primary(view)
	for _, set := range subsets(free, s.a.quorum-s.a.liars()) {
		led := primary == s.a.byzantine
		for _, j := range set {
			led = led || s.ids[j] == primary
		}
		if led && set[0] == int32(i) {
			m := move{kind: stable}
			copy(m.letters[:], set[1:]) // the member with the lowest number makes the move, so all entries are above 0
			list = append(list, m)
		}
	}
	return list
}

// subsets lists all subsets of a size, in order.
func subsets(of []int32, size int) [][]int32 {
	if size == 0 {
		return [][]int32{nil}
	}
	var list [][]int32
	for i, first := range of {
		for _, rest := range subsets(of[i+1:], size-1) {
			list = append(list, append([]int32{first}, rest...))
		}
	}
	return list
}
