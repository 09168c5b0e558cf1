package node

import (
	"errors"
	"sync/atomic"

	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// refusals count what was not believed, by the kind of link it came over and by what was wrong with it.
type refusals [len(linkKinds)][len(causes)]atomic.Uint64

// linkKinds are the kinds of links.
var linkKinds = [...]string{"replica", "client"}

// causes are why a message is refused, in the order in which they are asked.
var causes = [...]struct {
	name string
	is   []error
}{
	{"malformed", []error{wire.ErrMalformed}},
	{"signature", []error{wire.ErrSignature}},
	{"stranger", []error{wire.ErrUnknownMember, wire.ErrUnknownClient}},
	{"invalid", []error{wire.ErrInvalid}},
	{"misplaced", []error{replica.ErrMisplaced}},
}

// add counts a refusal. An error that nobody foresaw is one against the rules.
func (r *refusals) add(link string, err error) {
	counts, invalid := &r[0], 0
	for i, name := range linkKinds {
		if name == link {
			counts = &r[i]
		}
	}
	for i, c := range causes {
		for _, is := range c.is {
			if errors.Is(err, is) {
				counts[i].Add(1)
				return
			}
		}
		if c.name == "invalid" {
			invalid = i
		}
	}
	counts[invalid].Add(1)
}
