package pbft

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The silence of a replica that had forgotten what it signed (D8.7), and its end (D8.8).

// recovery is what this life of the replica began with, its view being 0 if nothing was forgotten, and what the last start
// found missing from the journal.
type recovery struct {
	until    wire.Seq  // R
	view     wire.View // V*
	suspects []wire.Suspect
	life     wire.Life

	unsaid wire.Seq // its journal may lack votes of its own up to here: R of D8.14; 0: it lacks none
	early  bool     // the journal says that votes may leave ahead of it, and not that nothing is missing

	askAgain  time.Duration // when to ask for nulls next
	passAgain time.Duration // when to pass others' wishes for them on to the primary
	wished    wire.Seq      // highest one of them
}

// silent reports whether this replica must not vote at all: something that it forgot may lie above h.
func (r *Replica) silent() bool { return r.log.Low < r.silentUntil() }

// silentUntil is the checkpoint that ends the silence; 0 if there is none.
func (r *Replica) silentUntil() wire.Seq { return max(r.recovery.until, r.recovery.unsaid) }

// cast sends a vote that may leave before it is durable, if the cluster wants that (D8.14). The journal says so first:
// without the mark a start would take it for whole.
func (r *Replica) cast(m wire.Message) {
	if r.cfg.Optimistic && !r.recovery.early {
		r.recovery.early = true
		r.emit(port.Persist{Record: &wire.Early{}})
	}
	r.emit(port.Broadcast{Msg: m})
}

// remember writes that the journal lacks nothing which matters: at a clean stop and, where votes wait for the journal, at
// the end of a silence. It must not do so while this replica is silent because its journal lacks votes: they are still
// missing, and the next start would take the journal for complete.
func (r *Replica) remember() {
	if r.recovery.early && !r.silent() {
		r.recovery.early = false
		r.emit(port.Persist{Record: &wire.Clean{}})
	}
}

// mayVote reports whether it may vote in a view, or ask for it: never in one in which it may have voted before.
func (r *Replica) mayVote(v wire.View) bool { return !r.silent() && v >= r.recovery.view }

// joinViewChange makes up for a ViewChange that silence kept back (D8.8): with the Suspects of any one for the view.
func (r *Replica) joinViewChange() {
	if r.silentUntil() == 0 || r.active || !r.mayVote(r.view) {
		return
	}
	for _, m := range r.change.votes {
		if m != nil && m.View == r.view && !r.change.sent {
			r.contribute(m.Suspects)
		}
	}
}
