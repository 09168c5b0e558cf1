package explore

import (
	"fmt"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Amnesia: a correct replica may lose all that it wrote. It asks the others (D8.6), whose answers are given from what they
// hold at that moment, one by one and in any order, with all other moves between them; what it said in the life that it
// forgot stays in the network for ever. The Byzantine replica can leave out of its answer what it likes. With n−f answers a
// new life begins, as the core has it.

// nonce is that of every question: one replica asks at a time, and an answer to an earlier question is never a new one's.
const nonce = 1

// held is what counts of an answer to an amnesiac.
type held struct {
	of    wire.ReplicaID // who asked
	whole bool
	view  wire.View // justified
	reach wire.View // highest view that anything in it proves
	seq   wire.Seq  // highest sequence number
	base  bool      // the checkpoint at the base is stable
}

// spellAnswer returns the letter of an answer.
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
			s.View-- // it needs only the view before it
		}
		proves(s.View, s.Seq)
	}
	return letter{kind: wire.TypeHeldBy, by: by, held: h}
}

// answersOf is what a replica would answer each other one now.
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

// answers offers an amnesiac the others' answers: a correct replica's from where it is now, the attacker's with nothing in
// it, or with a view that it can show to be justified.
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

// wants reports whether another replica's answer is still of use: it has not answered as one that remembers everything.
func (a *alphabet) wants(s *local, id wire.ReplicaID) bool {
	k := s.heard[id]
	return k == 0 || !a.letters[k].held.whole
}

// lyingAnswer is the attacker's answer that shows a view to be justified, and nothing else; 0 if it cannot.
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

// hears notes what a state's last move had the replica forget, or be answered.
func (ls *locals) hears(s *local) {
	switch k := s.by.letters[0]; s.by.kind {
	case forget:
		s.lives++
		s.heard = [replicas]int32{}
		s.shown.activated = [maxViews]int32{} // its new life enters views again
	case restart:
		s.heard = [replicas]int32{}
	case deliver:
		if l := &ls.a.letters[k]; l.kind == wire.TypeHeldBy {
			s.heard[l.by] = k
		}
	default:
	}
}

// whySilent is I19: until a checkpoint at R is stable it says nothing that it may have contradicted before, and never in a
// view below V* (D8.7).
func (n *node) whySilent(l letter) error {
	if l.kind == wire.TypeSuspect {
		return nil
	}
	if in := n.core.Inspect(); in.Silent || l.view < in.Since {
		return fmt.Errorf("I19: r%d says %v; it forgot what it said below #%d and v%d", l.by, l, in.Until, in.Since)
	}
	return nil
}
