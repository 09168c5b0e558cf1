package client

import (
	"slices"

	"tagma/pbft"
)

// viewHints finds out who the primary is from what replicas say in their replies.
type viewHints struct {
	weak    int         // f+1
	claimed []pbft.View // by replica
	current pbft.View
}

func newViewHints(n, weak int) *viewHints {
	return &viewHints{weak: weak, claimed: make([]pbft.View, n)}
}

// heard takes a replica's hint. The view believed in is the highest one that f+1 replicas claim or have passed, so that
// one of them is correct: f liars can neither invent a view nor hold the client in an old one.
func (h *viewHints) heard(from int, v pbft.View) {
	if h.claimed[from] == v {
		return
	}
	h.claimed[from] = v
	sorted := slices.Sorted(slices.Values(h.claimed))
	h.current = sorted[len(sorted)-h.weak]
}

// primary is the replica that is believed to order requests.
func (h *viewHints) primary() int { return int(uint64(h.current) % uint64(len(h.claimed))) }
