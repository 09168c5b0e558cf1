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

// class is the part of one replica's state that still counts.
type class struct {
	core  int32           // the number of the hash of what counts of the core
	lacks [maxSlots]value // values whose bodies the replica lacks
	shown shown           // the messages that others can still use

	// Set only in searches in which replicas forget:
	slots   [maxSlots]slotState
	heard   [replicas]int32
	answers [replicas]int32 // the replica's answers, while another one may still ask
	reborn  bool            // the replica has lost a life
}

// facts holds what the votes of finished views still allow, beyond the classes: the prepared certificates that the
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

// live is the lowest view in which something can still happen: usually the level, but a replica that followed a certificate
// of a later view may go on in its own.
func (s *search) live(st *state) wire.View {
	live := wire.View(maxViews)
	for i := range s.locals {
		if l := s.local(st, i); l.level == st.level {
			live = min(live, l.view)
		}
	}
	return live
}

// token returns the class of a state. Where replicas may forget, nothing is merged that was said at lower levels.
func (s *search) token(st *state) token {
	t := token{level: st.level, crashes: st.crashes, forgets: st.forgets}
	if s.o.Exact {
		t.classes = st.local
		return t
	}
	live := wire.View(0)
	if s.o.Amnesia == 0 {
		live = s.live(st)
	}
	for i, ls := range s.locals {
		t.classes[i] = ls.class(face{
			local: st.local[i], live: live, done: s.o.Amnesia == 0 && s.local(st, i).level < t.level,
			asked: s.o.Amnesia > 0 && s.mayAsk(st, ls.id),
		})
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

// face is a local state as part of a whole state.
type face struct {
	local int32
	done  bool      // the replica is done with its view
	live  wire.View // the lowest view in which something can still happen
	asked bool      // another replica may still ask, so this one's answer counts
}

// class returns the number of a local state's class.
func (ls *locals) class(at face) int32 {
	if n, ok := ls.faces[at]; ok {
		return n
	}
	l := &ls.all[at.local]
	c := class{core: l.counts, shown: l.shown}
	if at.done {
		c.core = l.stays
	}
	for i := range l.slots {
		c.lacks[i] = l.slots[i].lacksBody
	}
	if ls.a.forgets != [replicas]bool{} {
		c.slots, c.heard, c.reborn = l.slots, l.heard, l.lives > 0
	}
	if at.asked {
		c.answers = l.answers
	}
	c.shown.forget(at.live)
	ls.faces[at], _ = ls.classes.of(c)
	return ls.faces[at]
}

// forget drops, one by one, the messages that no replica can use any more when nothing happens below a view. Commits
// stay: two of them commit a batch, which must survive.
func (s *shown) forget(live wire.View) {
	for v := range live {
		s.propose[v], s.prepare[v] = [maxSlots]value{}, [maxSlots]value{}
		s.bare[v] = [maxSlots]bool{}
		s.change[v], s.former[v], s.newView[v] = 0, 0, 0
		if v+1 < live {
			s.suspects[v] = false
		}
	}
	for v := range min(live+1, maxViews) { // their new views were judged against all that can commit below
		s.activated[v] = 0
	}
	s.highest = 0
}
