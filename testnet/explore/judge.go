package explore

import (
	"fmt"

	"tagma/pbft/wire"
)

// judge returns the invariant that a state violates, or nil. It is stricter than what has happened in the run: a batch
// counts as committed as soon as some replica could have a certificate for it. The attacker votes for anything, so the
// commits of two correct replicas are enough.
func (a *alphabet) judge(k *knowledge) error {
	for seq := wire.Seq(1); seq <= wire.Seq(a.slots); seq++ {
		chosen, in := none, wire.View(0)
		for v := range wire.View(maxViews) {
			for d := null; d <= fourth; d++ {
				if len(k.voters(wire.TypeCommit, v, seq, d)) < a.quorum-a.liars() {
					continue
				}
				if chosen != none && chosen != d {
					return fmt.Errorf("I1: %v commits at #%d in v%d, and %v in v%d", chosen, seq, in, d, v)
				}
				if err := a.survives(k, v, seq, d); err != nil {
					return err
				}
				chosen, in = d, v
			}
		}
	}
	return agree(k)
}

// survives checks I17: every committed batch is in the O of every NewView of a higher view that a correct replica has
// entered.
func (a *alphabet) survives(k *knowledge, in wire.View, seq wire.Seq, d value) error {
	for id, s := range k {
		for v := in + 1; s != nil && v < maxViews; v++ {
			if n := s.activated[v]; n != 0 && a.letters[n].order[seq-1] != d {
				return fmt.Errorf("I17: r%d enters v%d by a %s, but %v commits at s%d in v%d", id, v, a.text(n), d, seq, in)
			}
		}
	}
	return nil
}

// agree checks I1 for the executed batches.
func agree(k *knowledge) error {
	var chosen [maxSlots]value
	for id, s := range k {
		if s == nil {
			continue
		}
		for i, d := range s.executed {
			if d != none && chosen[i] != none && chosen[i] != d {
				return fmt.Errorf("I1: r%d executes %v at #%d, another one executes %v", id, d, i+1, chosen[i])
			}
			chosen[i] = max(chosen[i], d)
		}
	}
	return nil
}

// taken checks V4 for one replica: the NewView that it has activated has the O that the view changes in it require.
func (a *alphabet) taken(id wire.ReplicaID, s *shown) error {
	for v, n := range s.activated {
		if n != 0 && a.letters[n].order != a.letters[n].right {
			return fmt.Errorf("V4: r%d enters v%d by a %s, and its view changes require %v", id, v, a.text(n), a.letters[n].right)
		}
	}
	return nil
}
