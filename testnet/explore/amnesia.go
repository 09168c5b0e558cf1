package explore

import (
	"fmt"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// This file adds amnesia to the search: a correct replica may lose everything that it wrote. It then asks the others
// (D8.6). Each of them answers from what it holds at that moment. The answers arrive one by one and in any order, with
// any other moves in between. Messages of the former life stay in the network for ever. The Byzantine replica can leave
// anything out of its answer. With n−f answers, the core begins a new life.

// nonce is the nonce of every question. One value is enough, because the search never delivers an answer to an earlier
// question.
const nonce = 1

// held is the part of an answer to an amnesiac on which the amnesiac's later behaviour depends.
type held struct {
	of    wire.ReplicaID // the replica that asked
	whole bool           // the replica that answers remembers everything that it signed
	view  wire.View      // the highest view that the answer justifies
	reach wire.View      // highest view that anything in the answer proves
	seq   wire.Seq       // highest sequence number
	base  bool           // the checkpoint at the base of the searched slots is stable
}

// spellAnswer returns the letter that stands for an answer.
func (w *world) spellAnswer(by wire.ReplicaID, m *wire.HeldBy) letter {
	h := held{of: m.Of, whole: m.Whole, view: m.View, base: m.Stable.Seq > 0, seq: m.Stable.Seq}
	proves := func(v wire.View, s wire.Seq) { h.reach, h.seq = max(h.reach, v), max(h.seq, s) }
	if m.Prepared != nil {
		proves(m.Prepared.View, m.Prepared.Seq)
	}
	if m.Commit != nil {
		proves(m.Commit.View, m.Commit.Seq)
	}
	for _, s := range m.Said {
		if s.Type == wire.TypeViewChange {
			s.View-- // a Suspect is enough if it is for the view before this one
		}
		proves(s.View, s.Seq)
	}
	return letter{kind: wire.TypeHeldBy, by: by, held: h}
}

// answersOf returns what a replica would answer to each of the other replicas now.
func (ls *locals) answersOf(n *node) (list [replicas]int32) {
	for id := range wire.ReplicaID(replicas) {
		if id == ls.id || !ls.a.forgets[id] {
			continue
		}
		question := port.Received{From: port.Source{Replica: id}, Msg: wire.Own(&wire.Held{Nonce: nonce})}
		for _, e := range n.actor().Step(question) {
			send, ok := e.(port.Send)
			if !ok {
				continue
			}
			k, err := ls.a.number(ls.a.spellAnswer(ls.id, send.Msg.(*wire.HeldBy)), func() wire.Message { return send.Msg })
			if err != nil && ls.fails == nil {
				ls.fails = err
			}
			list[id] = k
		}
	}
	return list
}

// answers lists the moves that deliver an answer to an amnesiac. A correct replica answers from its present state. The
// attacker's answer is empty, or has a view that the attacker can justify.
func (o *offers) answers() {
	for id, k := range o.told {
		if by := wire.ReplicaID(id); by != o.a.byzantine && k != 0 && k != o.s.heard[id] && o.a.wants(o.s, by) {
			o.deliver(k)
		}
	}
	if o.a.liars() == 0 || o.s.heard[o.a.byzantine] != 0 {
		return
	}
	for v := range o.views {
		if k := o.a.lyingAnswer(o.k, o.id, v); k != 0 {
			o.deliver(k)
		}
	}
}

// wants reports whether an amnesiac can still use an answer of another replica, because it has no answer from it yet
// that counts.
func (a *alphabet) wants(s *local, id wire.ReplicaID) bool {
	k := s.heard[id]
	return k == 0 || !a.letters[k].held.whole
}

// lyingAnswer returns the attacker's answer that only shows that a view is justified; 0 if the attacker cannot show
// that.
func (a *alphabet) lyingAnswer(k *knowledge, of wire.ReplicaID, v wire.View) int32 {
	witness := a.witnesses(k, v, nobody, 1)
	if v > 0 && len(witness) == 0 {
		return 0
	}
	l := letter{kind: wire.TypeHeldBy, by: a.byzantine, held: held{of: of, whole: true, view: v}}
	return a.forge(l, func() wire.Message {
		m := &wire.HeldBy{Nonce: nonce, Of: of, Whole: true, View: v}
		if v > 0 {
			m.Suspects = a.justification(v, witness[0])
		}
		return m
	})
}

// hears updates a state's lives and answers after its last move, if that was a loss, a restart, or a delivered answer.
func (ls *locals) hears(s *local) {
	switch k := s.by.letters[0]; s.by.kind {
	case forget:
		s.lives++
		s.heard = [replicas]int32{}
		s.shown.activated = [maxViews]int32{} // the new life has not entered these views yet
	case restart:
		s.heard = [replicas]int32{}
	case deliver:
		if l := &ls.a.letters[k]; l.kind == wire.TypeHeldBy {
			s.heard[l.by] = k
		}
	default:
	}
}

// whySilent checks I19: until a checkpoint at R is stable, a replica signs nothing that may contradict its former life,
// and it never votes in a view below V* (D8.7).
func (n *node) whySilent(l letter) error {
	if l.kind == wire.TypeSuspect {
		return nil
	}
	if in := n.core.Inspect(); in.Silent || l.view < in.Since {
		return fmt.Errorf("I19: r%d says %v; it forgot what it said below #%d and v%d", l.by, l, in.Until, in.Since)
	}
	return nil
}
