package msglog

import (
	"cmp"
	"slices"

	"tagma/pbft/wire"
)

// Suspects are the highest Suspect of every replica, by replica; one without a signature stands for none (V7).
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

// Justify returns the highest view u for which so many replicas suspect u−1 or a later one, with their Suspects in the
// order of their replicas; 0 if fewer suspect anything.
func (all Suspects) Justify(enough int) (wire.View, []wire.Suspect) {
	held := make([]wire.Suspect, 0, len(all))
	for _, s := range all {
		if s.Sig != (wire.Signature{}) {
			held = append(held, s)
		}
	}
	if len(held) < enough {
		return 0, nil
	}
	slices.SortStableFunc(held, func(a, b wire.Suspect) int { return cmp.Compare(b.View, a.View) })
	justification := held[:enough]
	view := justification[enough-1].View + 1
	slices.SortFunc(justification, func(a, b wire.Suspect) int { return cmp.Compare(a.Replica, b.Replica) })
	return view, justification
}
