package explore

import (
	"tagma/pbft/wire"
)

// This file has the partial-order reduction.
//
// Every move has a level: the highest view that it is about. A replica's level never falls. A move uses only messages of
// its own level or a lower one, and a move of one replica never makes a move of another replica impossible. So the moves
// of every run can be sorted by level without changing the resulting state. Therefore the search does not try moves
// below the highest level so far.
//
// In a sorted run, the messages of lower levels are used only together: by the certificates that can be made of them. So
// of such messages only these certificates count. States that agree in everything that still counts form a class, and
// the search continues from one state of each class.

// class is the part of one replica's state that can still matter.
type class struct {
	core  int32           // the number of the hash of the part of the core that can still matter
	lacks [maxSlots]value // values whose bodies the replica lacks
	shown shown           // the messages that others can still use

	// These fields are set only in searches in which replicas forget.
	slots   [maxSlots]slotState
	heard   [replicas]int32
	answers [replicas]int32 // the replica's answers, while another replica may still ask
	reborn  bool            // the replica has lost its memory at least once
}

// facts holds what the votes of finished views still make possible, in addition to the classes: the prepared
// certificates that the attacker can show, as bits by slot, view and value.
type facts [maxSlots]uint32

// token stands for a class of states of the whole model.
type token struct {
	classes [replicas]int32
	facts   facts
	level   wire.View
	crashes uint8
	forgets uint8
}

// live returns the lowest view in which something can still happen. Usually that is the level. But a replica that
// followed a certificate of a later view may still act in its own, lower view.
func (s *search) live(st *state) wire.View {
	live := wire.View(maxViews)
	for i := range s.locals {
		if l := s.local(st, i); l.level == st.level {
			live = min(live, l.view)
		}
	}
	return live
}

// token returns the class of a state. In searches in which replicas may forget, states are merged only if all messages
// are the same, also those of lower levels.
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

// face is the state of one replica as part of a state of the whole model.
type face struct {
	local int32
	done  bool      // the replica can do nothing more in its view
	live  wire.View // the lowest view in which something can still happen
	asked bool      // another replica may still ask this one, so its answer counts
}

// class returns the number of the class of a replica's state.
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

// forget removes messages that no replica can use any more, because nothing happens below a view. Commits are kept: two
// of them commit a batch, which must survive.
func (s *shown) forget(live wire.View) {
	for v := range live {
		s.propose[v], s.prepare[v] = [maxSlots]value{}, [maxSlots]value{}
		s.bare[v] = [maxSlots]bool{}
		s.change[v], s.former[v], s.newView[v] = 0, 0, 0
		if v+1 < live {
			s.suspects[v] = false
		}
	}
	// The new views of these views were already compared with everything that can commit in lower views.
	for v := range min(live+1, maxViews) {
		s.activated[v] = 0
	}
	s.highest = 0
}
