package explore

import (
	"tagma/pbft/wire"
)

// Classes: the partial-order reduction. Every move has a level, the highest view that it is about, and a replica's level
// never falls. What a move uses was said at its level or below, and moves of different replicas never disable each other.
// So every run can be sorted by level and leads to the same state: a move below the highest level so far need not be
// tried. In a sorted run, what was said at lower levels can no longer be used one message at a time. It counts as a whole:
// by the certificates that can be made of it. States that agree on all that still counts are one class, and the search
// goes on from one of them.

// class is what counts of one replica.
type class struct {
	core  int32           // the hash of what counts of it, as a number
	lacks [maxSlots]value // bodies
	shown shown           // what others can still use

	recalled // of replicas that may forget
}

// facts is what the replicas' votes of finished views amount to, beyond their classes: the prepared certificates that the
// attacker can show, as bits by slot, view and value.
type facts [maxSlots]uint32

// token stands for a class of whole states.
type token struct {
	classes [replicas]int32
	facts   facts
	level   wire.View
	crashes uint8
	forgets uint8
}

// level is the highest view that any move so far was about, and live the lowest view in which something can still happen:
// usually the same, but a replica that followed a certificate of a later view may go on in its own.
func (s *search) level(st *state) (level, live wire.View) {
	live = maxViews
	for i, ls := range s.locals {
		level = max(level, ls.all[st.local[i]].level)
	}
	for i, ls := range s.locals {
		if l := &ls.all[st.local[i]]; l.level == level {
			live = min(live, l.view)
		}
	}
	return level, live
}

// token returns the class of a state.
func (s *search) token(st *state) token {
	level, live := s.level(st)
	t := token{level: level, crashes: st.crashes, forgets: st.forgets}
	if s.o.Exact {
		t.classes = st.local
		return t
	}
	if s.o.Amnesia > 0 {
		return s.flat(st)
	}
	for i, ls := range s.locals {
		t.classes[i] = ls.class(st.local[i], level, live)
	}
	k := s.knowledge(st)
	for i := range s.a.slots {
		for _, p := range s.a.proofs(k, live, wire.Seq(i+1)) {
			if p.value != none {
				t.facts[i] |= 1 << (uint32(p.view)*4 + uint32(p.value))
			}
		}
	}
	return t
}

// face is a local state seen from a level.
type face struct {
	local       int32
	level, live wire.View
}

// class returns the number of a local state's class.
func (ls *locals) class(k int32, level, live wire.View) int32 {
	at := face{k, level, live}
	if n, ok := ls.faces[at]; ok {
		return n
	}
	l := &ls.all[k]
	c := class{core: l.counts, shown: l.shown}
	if l.level < level { // it is done with its view
		c.core = l.stays
	}
	for i := range l.slots {
		c.lacks[i] = l.slots[i].lacksBody
	}
	c.shown.forget(live)
	return ls.classed(at, c)
}

// classed returns the number of a class, and remembers it for what looks like that.
func (ls *locals) classed(at face, c class) int32 {
	n, ok := ls.classes[c]
	if !ok {
		n = int32(len(ls.classes))
		ls.classes[c] = n
	}
	ls.faces[at] = n
	return n
}

// forget drops what nobody can use any more, one by one, when nothing happens below a view. Commits stay: two of them are
// a batch that must survive.
func (s *shown) forget(live wire.View) {
	for v := range live {
		s.propose[v], s.prepare[v] = [maxSlots]value{}, [maxSlots]value{}
		s.bare[v] = [maxSlots]bool{}
		s.change[v], s.former[v], s.newView[v] = absent, absent, absent
		if v+1 < live {
			s.suspects[v] = false
		}
	}
	for v := range min(live+1, maxViews) { // judged already against all that can commit below
		s.activated[v] = absent
	}
	s.highest = 0
}
