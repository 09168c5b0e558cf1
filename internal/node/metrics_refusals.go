package node

import (
	"cmp"
	"errors"
	"slices"
	"sync/atomic"

	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// refusals count the refused messages, by the kind of link and by the cause.
type refusals [len(linkKinds)]byCause

// byCause counts refused messages by their cause.
type byCause [len(causes)]atomic.Uint64

// linkKinds are the kinds of links.
var linkKinds = [...]string{"replica", "client"}

// causes are the reasons for which a message is refused, in the words of wire.Refusal. Any other error counts as invalid.
var causes = [...]string{"malformed", badSignature, "stranger", "invalid", misplaced}

// Causes that this package names elsewhere too; misplaced is the cause of replica.ErrMisplaced.
const (
	badSignature = "signature"
	misplaced    = "misplaced"
)

// addRefusal counts a refused message. From is the number of a replica, or the key of a client.
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
