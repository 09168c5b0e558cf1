package replica

import (
	"errors"
	"slices"
	"time"

	"tagma/crypto"
	"tagma/pbft/wire"
)

// EventsPerTurn is how many messages of a lane one turn takes, so that no other lane waits for long. LaneRoom is how
// many messages of other replicas may wait in a lane.
const (
	EventsPerTurn = 512
	LaneRoom      = 4096
)

// TickEvery is how often a core is told the time: often enough for its timeouts, and seldom enough to cost almost nothing.
func TickEvery(viewTimeout time.Duration) time.Duration {
	return min(max(viewTimeout/50, 2*time.Millisecond), 20*time.Millisecond)
}

// Part is the part of a replica that handles a message.
type Part uint8

// The parts.
const (
	Nobody   Part = iota // a replica never sends such a message to another one
	TheCore              // the core, in a turn
	TheMover             // the message is from a donor
	TheDonor             // the message is a question for this replica's donor
)

// ErrMisplaced says that a message must not come over this kind of link.
var ErrMisplaced = errors.New("not a message for this kind of link")

// PartFor returns the part that handles a message of another replica. The exchange of state has parts of its own, so
// that it never makes a vote wait. Messages between clients and replicas are refused here: they carry no signature, so
// handling them would cost a faulty replica nothing.
func PartFor(m wire.Message) Part {
	switch m.(type) {
	case *wire.Reply, *wire.Attach, *wire.Attached, *wire.Inquire, *wire.Report, *wire.Query, *wire.QueryReply,
		*wire.Watch, *wire.WatchTaken, *wire.Changes, *wire.Progress,
		*wire.Attest, *wire.Attestation, *wire.Prove, *wire.Proof:
		return Nobody
	case *wire.Data:
		return TheMover
	case *wire.FetchSlots, *wire.FetchState:
		return TheDonor
	default:
		return TheCore
	}
}

// Ask takes a question of another replica, or a question for state from Outside. The question is answered at once, or
// later by Step.
func (d *Donor) Ask(from wire.ReplicaID, m wire.Message, now time.Duration) {
	if from == d.cfg.Self || !d.mayAsk(from, m, now) {
		return
	}
	switch m := m.(type) {
	case *wire.FetchSlots:
		d.giveSlots(from, m)
	case *wire.FetchState:
		d.giveState(from, m, now)
	default: // the message is for another part
	}
}

// Claims appends a message's claims to dst, in the form in which they are verified.
func Claims(dst []crypto.Claim, listed []wire.Claim) []crypto.Claim {
	dst = slices.Grow(dst, len(listed))
	for _, c := range listed {
		dst = append(dst, crypto.Claim{Key: c.Signer, Message: c.Signed, Sig: c.Sig})
	}
	return dst
}

// Holds returns a function that verifies claims with v, for wire.Verify and for evidence.
func Holds(v *crypto.Verifier) func([]wire.Claim) bool {
	return func(listed []wire.Claim) bool { return v.Verify(Claims(nil, listed)) }
}
