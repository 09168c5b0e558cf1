package replica

import (
	"errors"
	"slices"
	"time"

	"tagma/crypto"
	"tagma/pbft/wire"
)

// How many messages of a lane one turn takes, so that none waits long for another, and how many wait of other replicas.
const (
	EventsPerTurn = 512
	LaneRoom      = 4096
)

// TickEvery is how often a core is told the time: fine enough for its timeouts, seldom enough to cost nothing.
func TickEvery(viewTimeout time.Duration) time.Duration {
	return min(max(viewTimeout/50, 2*time.Millisecond), 20*time.Millisecond)
}

// Part is what takes a message of another replica.
type Part uint8

// The parts.
const (
	Nobody   Part = iota // no replica sends it to another one
	TheCore              // by a turn
	TheMover             // it is of a donor
	TheDonor             // it is a question
)

// ErrMisplaced says that a message is none for this kind of link.
var ErrMisplaced = errors.New("not a message for this kind of link")

// PartFor is what takes a message of another replica. What belongs to the exchange of state never makes a vote wait; what
// clients and replicas tell each other carries no signature between replicas and would cost its sender nothing.
func PartFor(m wire.Message) Part {
	switch m.(type) {
	case *wire.Reply, *wire.Attach, *wire.Attached, *wire.Inquire, *wire.Report, *wire.Query, *wire.QueryReply:
		return Nobody
	case *wire.Data:
		return TheMover
	case *wire.FetchSlots, *wire.FetchState:
		return TheDonor
	default:
		return TheCore
	}
}

// Ask takes a question of another replica, or one for state from Outside. It is answered now or by Step.
func (d *Donor) Ask(from wire.ReplicaID, m wire.Message, now time.Duration) {
	if from == d.cfg.Self || !d.mayAsk(from, m, now) {
		return
	}
	switch m := m.(type) {
	case *wire.FetchSlots:
		d.giveSlots(from, m)
	case *wire.FetchState:
		d.giveState(from, m, now)
	default: // it is for another part
	}
}

// Claims are the claims of a message as they are verified, appended to dst.
func Claims(dst []crypto.Claim, listed []wire.Claim) []crypto.Claim {
	dst = slices.Grow(dst, len(listed))
	for _, c := range listed {
		dst = append(dst, crypto.Claim{Key: c.Signer, Message: c.Signed, Sig: c.Sig})
	}
	return dst
}

// Holds has a verifier judge claims for wire.Verify and for evidence.
func Holds(v *crypto.Verifier) func([]wire.Claim) bool {
	return func(listed []wire.Claim) bool { return v.Verify(Claims(nil, listed)) }
}
