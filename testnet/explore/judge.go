package explore

import (
	"fmt"

	"tagma/pbft/wire"
)

// commitment is a batch for which Q commits of one view exist: with the attacker's, which it gives to anything, two
// correct replicas' suffice.
type commitment struct {
	view  wire.View
	seq   wire.Seq
	value value
}

// judge returns the invariant that a state breaks, or nil. It asks for more than what happened: a batch counts as committed
// as soon as somebody could show its certificate.
func (a *alphabet) judge(k *knowledge) error {
	var done []commitment
	for v := range wire.View(maxViews) {
		for i := range a.slots {
			for d := null; d <= fourth; d++ {
				votes := 0
				for _, s := range k {
					if s != nil && s.commit[v][i] == d {
						votes++
					}
				}
				if votes >= quorum-a.liars() {
					done = append(done, commitment{v, wire.Seq(i + 1), d})
				}
			}
		}
	}
	for i, c := range done {
		for _, other := range done[i+1:] {
			if c.seq == other.seq && c.value != other.value {
				return fmt.Errorf("I1: %v commits at #%d in v%d, and %v in v%d", c.value, c.seq, c.view, other.value, other.view)
			}
		}
		if err := a.survives(k, c); err != nil {
			return err
		}
	}
	return agree(k)
}

// survives is I17: what committed is in every later O that a correct replica took.
func (a *alphabet) survives(k *knowledge, c commitment) error {
	for id, s := range k {
		for v := int(c.view) + 1; s != nil && v < maxViews; v++ {
			if n := s.activated[v]; n != absent && a.letters[n].order[c.seq-1] != c.value {
				return fmt.Errorf("I17: r%d enters v%d by a %s, but %v commits at s%d in v%d",
					id, v, a.text(n), c.value, c.seq, c.view)
			}
		}
	}
	return nil
}

// agree is I1 on what was executed, and V4: nobody takes an O that its view changes do not require.
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

// taken is V4 for one replica: a new view that it made active has the O that its view changes require.
func (a *alphabet) taken(id wire.ReplicaID, s *shown) error {
	for v, n := range s.activated {
		if n != absent && a.letters[n].order != a.letters[n].right {
			return fmt.Errorf("V4: r%d enters v%d by a %s, and its view changes require %v", id, v, a.text(n), a.letters[n].right)
		}
	}
	return nil
}
