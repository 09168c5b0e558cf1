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
type refusals [len(linkKinds)]byCause

// byCause counts by what was wrong.
type byCause [len(causes)]atomic.Uint64

// linkKinds are the kinds of links.
var linkKinds = [...]string{"replica", "client"}

// causes are the reasons for which a message is refused, in the words of wire.Refusal. Any other error counts as invalid.
var causes = [...]string{"malformed", badSignature, "stranger", "invalid", misplaced}

// Causes that are asked for by name: misplaced is that of replica.ErrMisplaced.
const (
	badSignature = "signature"
	misplaced    = "misplaced"
)

// addRefusal counts a message that is not believed. From is a replica by its number, or a client by its key.
func (c *counters) addRefusal(link string, from any, err error) {
	cause := cmp.Or(wire.Refusal(err), "invalid")
	if errors.Is(err, replica.ErrMisplaced) {
		cause = misplaced
	}
	at := slices.Index(causes[:], cause)
	c.refused.Add(1)
	c.refusals[max(0, slices.Index(linkKinds[:], link))][at].Add(1)
	if id, is := from.(int); is {
		c.peers[id][at].Add(1)
	}
}
