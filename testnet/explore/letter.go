package explore

import (
	"fmt"

	"tagma/pbft/wire"
)

// maxSlots and maxViews bound the slots and views that a letter can name. So they also bound the search.
const (
	maxSlots = 2
	maxViews = 4
)

// value is what one sequence number can hold. It is small, so that it can be compared and counted.
type value uint8

// The values of a slot. A and B are two batches with the same request and different agreed times. C and D are the same
// for the request of the other slot.
const (
	none   value = iota // nothing
	null                // the null request
	first               // A: what the primary of an even view proposes
	second              // B: what the primary of an odd view proposes
	// C, D: what such primaries propose for this slot if, after a restart, they have lost count of the requests.
	third
	fourth
)

func (v value) String() string { return [...]string{"none", "null", "A", "B", "C", "D"}[v] }

// proof is the value that a view change shows as prepared in a slot.
type proof struct {
	view  wire.View
	value value // none: the view change shows nothing for the slot
}

// letter is the content of a message, without its signatures. Two messages with the same letter are interchangeable:
// once a message is verified, the core never reads who signed a certificate, nor which view changes a NewView contains.
// For this reason the number of states is finite.
type letter struct {
	kind  wire.Type
	by    wire.ReplicaID
	view  wire.View
	seq   wire.Seq        // set in pre-prepare, prepare and commit
	value value           // set in pre-prepare, prepare and commit
	proof [maxSlots]proof // the certificates of a view change, by slot
	order [maxSlots]value // in a new view: its O, by slot
	right [maxSlots]value // in a new view: the O that its view changes require
	ahead [4]wire.View    // in a view change: by replica, 1 + the view of its Suspect, if that view is higher than needed

	stable wire.Seq // in a view change and a NewView: the stable checkpoint above which it begins
	held   held     // in an answer to an amnesiac
}

// String returns a letter in a short form. Its field text has the content of the message.
func (l letter) String() string {
	return fmt.Sprintf("%v v%d s%d %v of r%d", l.kind, l.view, l.seq, l.value, l.by)
}

// alphabet gives each letter a number, and keeps one verified message for it. Number 0 stands for no letter.
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

// number returns the number of a letter. If the letter is new, it verifies the message that stands for it. If a message
// of a correct replica is invalid, the search reports that.
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

// spell returns the letter of a correct replica's message. It returns false if the search leaves the message out:
// messages that other moves replace (status, heartbeat, fetch), and messages beyond the bounds.
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
		l.right = l.order // V4 is only checked for the attacker's NewViews; I17 checks the O of a correct primary
	default:
		return l, false
	}
	return l, l.view < maxViews
}
