package pbft

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// This file handles the silence of a replica that has forgotten what it signed (D8.7), and the end of the silence (D8.8).

// recovery is how this life of the replica began, and what the last start found missing in the journal. If nothing was
// forgotten, its view is 0.
type recovery struct {
	until    wire.Seq  // R
	view     wire.View // V*
	suspects []wire.Suspect
	life     wire.Life

	unsaid wire.Seq // the journal may lack own votes up to here (R of D8.14); 0: it lacks none
	// The journal says that votes may leave before it holds them, and no later record says that it is complete.
	early bool

	askAgain  time.Duration // when to ask for nulls again
	passAgain time.Duration // when to pass others' wishes for nulls on to the primary again
	wished    wire.Seq      // the highest such wish
}

// silent reports whether this replica must not vote at all, because it may have forgotten votes above h.
func (r *Replica) silent() bool { return r.log.Low < r.silentUntil() }

// silentUntil is the sequence number at which a stable checkpoint ends the silence; 0 if there is no silence.
func (r *Replica) silentUntil() wire.Seq { return max(r.recovery.until, r.recovery.unsaid) }

// cast sends a vote, before it is durable if the cluster is configured so (D8.14). In that case the journal first gets
// the record Early: without it, the next start would take the journal for complete.
func (r *Replica) cast(m wire.Message) {
	if r.cfg.Optimistic && !r.recovery.early {
		r.recovery.early = true
		r.emit(port.Persist{Record: &wire.Early{}})
	}
	r.emit(port.Broadcast{Msg: m})
}

// remember writes the record Clean, which says that the journal lacks no vote that matters. It is called at a clean
// stop, and in a pessimistic cluster also at the end of a silence. It writes nothing while this replica is silent
// because its journal lacks votes: otherwise the next start would take the journal for complete.
func (r *Replica) remember() {
	if r.recovery.early && !r.silent() {
		r.recovery.early = false
		r.emit(port.Persist{Record: &wire.Clean{}})
	}
}

// mayVote reports whether this replica may vote in a view, or ask for it. It never may in a view in which it may have
// cast votes that it has forgotten.
func (r *Replica) mayVote(v wire.View) bool { return !r.silent() && v >= r.recovery.view }

// joinViewChange sends the ViewChange that the silence held back (D8.8), with Suspects of any held ViewChange.
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
