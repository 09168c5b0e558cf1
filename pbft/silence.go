package pbft

import (
	"time"

	"tagma/pbft/wire"
)

// The silence of a replica that had forgotten what it signed (D8.7), and its end (D8.8).

// recovery is what this life of the replica began with; its view is 0 if nothing was forgotten.
type recovery struct {
	until    wire.Seq  // R
	view     wire.View // V*
	suspects []wire.Suspect
	life     wire.Life

	askAgain  time.Duration // when to ask for nulls next
	passAgain time.Duration // when to pass others' wishes for them on to the primary
	wished    wire.Seq      // highest one of them
}

// silent reports whether this replica must not vote at all: something that it forgot may lie above h.
func (r *Replica) silent() bool { return r.recovery.view > 0 && r.log.Low < r.recovery.until }

// mayVote reports whether it may vote in a view, or ask for it: never in one in which it may have voted before.
func (r *Replica) mayVote(v wire.View) bool { return !r.silent() && v >= r.recovery.view }

// joinViewChange makes up for a ViewChange that silence kept back (D8.8): with the Suspects of any one for the view.
func (r *Replica) joinViewChange() {
	if r.recovery.view == 0 || r.active || !r.mayVote(r.view) {
		return
	}
	for _, m := range r.change.votes {
		if m != nil && m.View == r.view && !r.change.sent {
			r.contribute(m.Suspects)
		}
	}
}
