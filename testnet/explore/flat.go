package explore

import (
	"slices"

	"tagma/pbft/wire"
)

// Searches in which replicas forget are sorted by level as others are, but a life that ends or begins starts the count
// again: what a new life says in a low view can be of use to others that its former life had left behind. Within each of
// those parts of a run the argument of classes.go holds. To forget has the level that the replica has; an answer has the
// level of the replica that gives it, so that its order among that one's moves stays. States are merged only where nothing
// that can be used differs: votes come by the quorum, and what would be answered counts while anybody may ask.

// sorts returns the level of a move, and notes in the state that it leads to the level of the run.
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
	case m.kind == stable: // of several together
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

// mayAsk reports whether anybody may still ask what it has forgotten and need a replica's answer; of nobody: anybody's.
func (s *search) mayAsk(st *state, id wire.ReplicaID) bool {
	asks := int(st.forgets) < s.o.Amnesia
	for i := range s.locals {
		l := s.local(st, i)
		asks = asks || l.asking && (id == nobody || s.a.wants(l, id))
	}
	return asks
}

// urgent returns the replica whose move must come next, if there is one: nothing needs to happen between the loss and the
// first answer, since it could as well have happened before, nor before the attacker's answer, which comes last.
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

// wasted reports whether an answer of the attacker does not complete what a replica needs: it can come later.
func (s *search) wasted(i int, m move, next *state) bool {
	return !s.o.Exact && m.kind == deliver && s.a.letters[m.letters[0]].kind == wire.TypeHeldBy &&
		s.a.letters[m.letters[0]].by == s.a.byzantine && s.local(next, i).asking
}

// told lists what the others would answer a replica now, by replica.
func (s *search) told(st *state, id wire.ReplicaID) (told [replicas]int32) {
	for i, ls := range s.locals {
		if ls.id != id {
			told[ls.id] = s.local(st, i).answers[id]
		}
	}
	return told
}

// ordersUpTo lists how replicas can order everything up to the base together: a quorum with this one as its lowest correct
// replica, active in one view with its primary, all free to vote. What they said on the way lies below the checkpoint.
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
	for _, set := range subsets(free, quorum-s.a.liars()) {
		led := primary == s.a.byzantine
		for _, j := range set {
			led = led || s.ids[j] == primary
		}
		if led && set[0] == int32(i) {
			m := move{kind: stable}
			copy(m.letters[:], set[1:]) // none of them is 0: the lowest one makes the move
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
