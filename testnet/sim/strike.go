package sim

import (
	"errors"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/sim/disk"
)

// Moment is a stage of a message, or of a batch, at which a crash happens.
type Moment uint8

// The moments.
const (
	// BeforeDurable is in the middle of the sync that would make the message durable.
	BeforeDurable Moment = iota + 1
	// BeforeSend is when the message was not sent to any replica yet. If its type is written to the journal, it is
	// durable.
	BeforeSend
	// AfterFirstSend is when the message was sent to one replica.
	AfterFirstSend
	// BeforeExecute is when a batch is ordered, and the machine has not received it.
	BeforeExecute
	// AfterExecute is when the machine has executed a batch, and the core does not know it yet.
	AfterExecute
)

// strike is a crash that is planned for a moment.
type strike struct {
	Loss  disk.Loss
	calls int       // how many more outputs and syncs until the crash happens; 0: the crash does not depend on their number
	kind  wire.Type // the crash comes at the next message of this type; 0: not at a message
	seq   wire.Seq  // the crash comes at this batch, or the first one after it; 0: not at a batch
	when  Moment
	fired func()
}

var errStruck = errors.New("crashed in the middle of a turn")

func (n *node) hit() bool {
	if n.strike.fired != nil {
		n.strike.fired()
	}
	return true
}

func (s *strike) countdown() bool {
	if s == nil || s.calls == 0 {
		return false
	}
	s.calls--
	return s.calls == 0
}

// struckByJournal reports whether the crash happens with the sync of these records. At BeforeSend the records become
// durable first. Otherwise the crash decides which of them survive.
func (n *node) struckByJournal(records []wire.Record) bool {
	s := n.strike
	switch {
	case s == nil:
		return false
	case s.countdown():
		n.turn.struck = n.hit()
	case s.kind != 0 && s.when != AfterFirstSend && wire.Durable(sample(records, s.kind)):
		if s.when == BeforeSend {
			n.disk.Settle()
		}
		n.turn.struck = n.hit()
	}
	return n.turn.struck
}

// sample returns a message of a type among records, or nil.
func sample(records []wire.Record, t wire.Type) wire.Message {
	for _, r := range records {
		if s, ok := r.(*wire.Sent); ok && wire.TypeOf(s.Msg) == t {
			return s.Msg
		}
	}
	return nil
}

// struckBefore reports whether the crash happens before an output: before a batch is executed, or before a message is
// sent that is not written to the journal.
func (n *node) struckBefore(o *output) bool {
	s := n.strike
	if x, is := o.work.(port.Execute); is && s.batch(BeforeExecute, x.Seq) {
		return n.hit()
	}
	if s == nil || s.kind == 0 || s.when == AfterFirstSend || n.typeOf(o) != s.kind {
		return false
	}
	return n.hit()
}

// batch reports whether the crash is planned for this moment of this batch.
func (s *strike) batch(when Moment, seq wire.Seq) bool {
	return s != nil && s.seq > 0 && s.when == when && seq >= s.seq
}

func (n *node) struckAfter(o *output) bool {
	s := n.strike
	switch {
	case s == nil:
		return false
	case s.countdown():
		return n.hit()
	case s.when == AfterFirstSend && n.typeOf(o) == s.kind:
		return n.hit()
	}
	return false
}

func (n *node) typeOf(o *output) wire.Type {
	switch {
	case o.frame != nil:
		return wire.TypeOf(n.w.read(o.frame).msg)
	case o.reply != nil:
		return wire.TypeReply
	default:
		return 0
	}
}
