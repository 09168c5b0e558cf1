package msglog

import (
	"slices"

	"tagma/pbft/wire"
)

// Suspects holds the highest Suspect of every replica, indexed by replica; an entry without a signature stands for none
// (V7).
type Suspects []wire.Suspect

// Note keeps a Suspect if it is its sender's highest one.
func (all Suspects) Note(m *wire.Suspect) bool {
	held := &all[m.Replica]
	if held.Sig != (wire.Signature{}) && held.View >= m.View {
		return false
	}
	*held = *m
	return true
}

// Justify returns the highest view u that enough replicas want, given the view that each replica wants, and as many
// Suspects of u−1 or later views, in the order of their replicas. There are always enough Suspects here: a replica that
// wants u either renews its own Suspect, or has sent a ViewChange that contains enough of them.
func (all Suspects) Justify(enough int, wanted []wire.View) (wire.View, []wire.Suspect) {
	views := slices.Sorted(slices.Values(wanted))
	u := views[len(views)-enough]
	var held []wire.Suspect
	for _, s := range all {
		if s.Sig != (wire.Signature{}) && s.View+1 >= u && len(held) < enough {
			held = append(held, s)
		}
	}
	return u, held
}
