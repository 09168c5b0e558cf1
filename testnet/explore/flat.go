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
	was, is := &s.locals[i].all[from.local[i]], &s.locals[i].all[next.local[i]]
	level := is.level
	switch {
	case s.o.Amnesia == 0:
		return level
	case m.kind == forget:
		level = was.level
	case was.asking && m.kind == deliver:
		level = 0
		if by := s.a.letters[m.letters[0]].by; by != s.a.byzantine {
			level = s.locals[slices.Index(s.ids, by)].level(from.local[slices.Index(s.ids, by)])
		}
	case m.kind == stable: // of several together
		for j, ls := range s.locals {
			if from.local[j] != next.local[j] {
				level = min(level, ls.level(next.local[j]))
			}
		}
	}
	if s.o.Exact {
		return level
	}
	if next.level = max(from.level, level); was.asking != is.asking {
		next.level = 0
	}
	return level
}

// mayAnswer reports whether what a replica would answer still counts.
func (s *search) mayAnswer(st *state, id wire.ReplicaID) bool {
	asks := int(st.forgets) < s.o.Amnesia
	for i, ls := range s.locals {
		l := &ls.all[st.local[i]]
		asks = asks || l.asking && s.a.wants(l, id)
	}
	return asks
}

// urgent returns the replica whose move must come next, if there is one: nothing needs to happen between the loss and the
// first answer, since it could as well have happened before, nor before the attacker's answer, which comes last.
func (s *search) urgent(st *state) (int, bool) {
	for i, ls := range s.locals {
		l := &ls.all[st.local[i]]
		if !l.asking || s.o.Exact {
			continue
		}
		correct := 0
		for _, k := range l.heard {
			if k != absent {
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
		s.a.letters[m.letters[0]].by == s.a.byzantine && s.locals[i].all[next.local[i]].asking
}

func (ls *locals) level(k int32) wire.View { return ls.all[k].level }

// mayAsk reports whether anybody may still ask what it has forgotten.
func (s *search) mayAsk(st *state) bool {
	asks := int(st.forgets) < s.o.Amnesia
	for i, ls := range s.locals {
		asks = asks || ls.all[st.local[i]].asking
	}
	return asks
}

// recalled is what counts of a replica beside its class.
type recalled struct {
	slots   [maxSlots]slotState
	heard   [replicas]int32
	answers [replicas]int32
	reborn  bool
}

// flat returns the class of a state without regard to levels.
func (s *search) flat(st *state) token {
	t := token{level: st.level, crashes: st.crashes, forgets: st.forgets}
	for i, ls := range s.locals {
		t.classes[i] = ls.flat(st.local[i], s.mayAnswer(st, ls.id))
	}
	return t
}

func (ls *locals) flat(k int32, asked bool) int32 {
	at := face{local: k}
	if asked {
		at.level = 1
	}
	if n, ok := ls.faces[at]; ok {
		return n
	}
	l := &ls.all[k]
	c := class{core: l.counts, shown: l.shown, recalled: recalled{slots: l.slots, heard: l.heard, reborn: l.lives > 0}}
	if asked {
		c.answers = l.answers
	}
	return ls.classed(at, c)
}

// told lists what the others would answer a replica now, by replica.
func (s *search) told(st *state, id wire.ReplicaID) [replicas]int32 {
	told := nothing
	for i, ls := range s.locals {
		if ls.id != id {
			told[ls.id] = ls.all[st.local[i]].answers[id]
		}
	}
	return told
}

// stableMove is what ordering up to the base comes to for each replica.
func stableMove() move {
	return move{kind: stable, letters: [3]int32{absent, absent, absent}}
}

// ordersUpTo lists how replicas can order everything up to the base together: a quorum with this one as its lowest correct
// replica, active in one view with its primary, all free to vote. What they said on the way lies below the checkpoint.
func (s *search) ordersUpTo(st *state, i int) (list []move) {
	if s.a.base == 0 {
		return nil
	}
	view, free := s.locals[i].all[st.local[i]].view, []int32(nil)
	for j := range s.locals {
		if l := &s.locals[j].all[st.local[j]]; l.votes && !l.shown.based && l.view == view {
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
			m := stableMove()
			copy(m.letters[:], set[1:])
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

// correct is the replica of a place among the correct ones.
func (w *world) correct(j int) wire.ReplicaID {
	if wire.ReplicaID(j) < w.byzantine {
		return wire.ReplicaID(j)
	}
	return wire.ReplicaID(j + 1)
}
