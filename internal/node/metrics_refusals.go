package node

import (
	"cmp"
	"errors"
	"slices"
	"sync/atomic"

	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// refusals count the messages that were not believed, by the kind of link and by what was wrong.
type refusals [len(linkKinds)][len(causes)]atomic.Uint64

// linkKinds are the kinds of links.
var linkKinds = [...]string{"replica", "client"}

// causes are the reasons for which a message is refused, in the words of wire.Refusal. Any other error counts as invalid.
var causes = [...]string{"malformed", badSignature, "stranger", "invalid", misplaced}

// Causes that are asked for by name: misplaced is that of replica.ErrMisplaced.
const (
	badSignature = "signature"
	misplaced    = "misplaced"
)

// add counts a refusal.
func (r *refusals) add(link string, err error) {
	cause := cmp.Or(wire.Refusal(err), "invalid")
	if errors.Is(err, replica.ErrMisplaced) {
		cause = misplaced
	}
	r[max(0, slices.Index(linkKinds[:], link))][slices.Index(causes[:], cause)].Add(1)
}
