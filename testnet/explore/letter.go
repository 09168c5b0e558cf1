package explore

import (
	"fmt"

	"tagma/pbft/wire"
)

// maxSlots and maxViews bound what a letter can name, and so the search.
const (
	maxSlots = 2
	maxViews = 4
)

// value is what one sequence number can hold, small enough to compare and to count.
type value uint8

// The values of a slot. A and B are two batches of the same request, which differ in their agreed time; C and D are the
// same for the other slot's request.
const (
	none   value = iota // nothing
	null                // the null request
	first               // A: what the primaries of even views propose by themselves
	second              // B: what the primaries of odd views propose by themselves
	third               // C, D: what the same propose for this slot if a restart made them lose count of the requests
	fourth
)

func (v value) String() string { return [...]string{"none", "null", "A", "B", "C", "D"}[v] }

// proof is the value that a view change claims to have prepared in a slot.
type proof struct {
	view  wire.View
	value value // none: the view change claims nothing
}

// letter is what a message says, without its proof. Two messages with one letter are interchangeable: once a message is
// verified, the core never reads who signed a certificate, nor which view changes a new view rests on. That is why the
// state space is finite.
type letter struct {
	kind  wire.Type
	by    wire.ReplicaID
	view  wire.View
	seq   wire.Seq        // set in pre-prepare, prepare and commit
	value value           // set in pre-prepare, prepare and commit
	proof [maxSlots]proof // the certificates of a view change, by slot
	order [maxSlots]value // in a new view: its O, by slot
	right [maxSlots]value // in a new view: the O that its view changes require
	ahead [4]wire.View    // in a view change: by replica, 1 + the view of its Suspect, if that is higher than needed

	stable wire.Seq // in a view change and a new view: the stable checkpoint that it begins above
	held   held     // in an answer to an amnesiac
}

// String is a short form of a letter; text has the content of its message.
func (l letter) String() string {
	return fmt.Sprintf("%v v%d s%d %v of r%d", l.kind, l.view, l.seq, l.value, l.by)
}

// alphabet gives every letter a number and keeps one verified message for it. Number 0 is no letter.
type alphabet struct {
	*world
	numbers map[letter]int32
	letters []letter
	mail    []wire.Verified
}

func newAlphabet(w *world) *alphabet {
	return &alphabet{world: w, numbers: map[letter]int32{}, letters: make([]letter, 1), mail: make([]wire.Verified, 1)}
}

// text returns the content of a letter's message, and its sender.
func (a *alphabet) text(k int32) string {
	return fmt.Sprintf("%s from r%d", a.names.Message(a.mail[k].Message()), a.letters[k].by)
}

// number returns the number of a letter, verifying the message that stands for it when it is new. A correct replica's
// message that does not verify is a finding.
func (a *alphabet) number(l letter, m func() wire.Message) (int32, error) {
	if k, ok := a.numbers[l]; ok {
		return k, nil
	}
	v, err := wire.Verify(&a.configs[0], m(), a.holds)
	if err != nil {
		return 0, fmt.Errorf("%v does not verify: %w", l, err)
	}
	k := int32(len(a.letters))
	a.numbers[l] = k
	a.letters = append(a.letters, l)
	a.mail = append(a.mail, v)
	return k, nil
}

// spell returns the letter of a correct replica's message, false if the search leaves it out: messages that a lossy
// network replaces (status, heartbeat, fetch), and what lies beyond the bounds.
func (w *world) spell(by wire.ReplicaID, m wire.Message) (letter, bool) {
	said, _ := wire.SaidIn(m)
	l := letter{kind: wire.TypeOf(m), by: by, view: said.View}
	switch m := m.(type) {
	case *wire.PrePrepare, *wire.Prepare, *wire.Commit:
		s, ok := w.searched(said.Seq)
		if !ok || l.view >= maxViews {
			return l, false
		}
		l.seq, l.value = s, w.valueOf(s, said.Digest)
	case *wire.Suspect:
		l.view = m.View
	case *wire.ViewChange:
		l.stable = m.Stable.Seq
		for i := range m.Prepared {
			c := &m.Prepared[i]
			if s, ok := w.searched(c.Seq); ok {
				l.proof[s-1] = proof{c.View, w.valueOf(s, c.Digest)}
			}
		}
		for _, s := range m.Suspects {
			if s.View >= m.View && s.View < maxViews {
				l.ahead[s.Replica] = s.View + 1
			}
		}
	case *wire.NewView:
		l.stable = m.MinStable()
		for i, p := range m.Proposals[:min(len(m.Proposals), w.slots)] {
			l.order[i] = w.valueOf(wire.Seq(i+1), p.Digest)
		}
		l.right = l.order // V4 is judged for the attacker alone; I17 judges a correct primary's O
	default:
		return l, false
	}
	return l, l.view < maxViews
}
