package pbft

import (
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Leaving a view together (V7): nobody leaves alone, f+1 replicas must suspect.

// suspicion holds the highest Suspect of every replica.
type suspicion struct {
	highest msglog.Suspects
	again   time.Duration
	sent    bool // in the current view
}

// suspectNow broadcasts a Suspect for the current view, again each timeout while there is reason to. It does not stop
// this replica from voting.
func (r *Replica) suspectNow() {
	if r.suspicion.sent && r.mono < r.suspicion.again {
		return
	}
	r.suspicion.sent = true
	r.suspicion.again = r.mono + r.timeout()
	r.emit(port.Broadcast{Msg: &wire.Suspect{View: r.view, Replica: r.cfg.Self}})
}

func (r *Replica) onSuspect(m *wire.Suspect, from port.Source) {
	if !r.ownVote(m.Replica, from) {
		r.drop(m, port.ReasonNotSender)
		return
	}
	if !r.suspicion.highest.Note(m) {
		r.drop(m, port.ReasonDuplicate)
		return
	}
	if m.View < r.view {
		r.drop(m, port.ReasonOldView)
	}
	r.leaveIfSuspected()
}

// leaveIfSuspected moves to the highest view u above our own for which f+1 replicas suspect u−1 or a later one. A
// replica that must not contribute to u waits for somebody's ViewChange: leaving on its own word, it would take nobody
// along (D8.8).
func (r *Replica) leaveIfSuspected() {
	u, justification := r.suspicion.highest.Justify(r.cfg.Weak())
	if u <= r.view || !r.mayVote(u) {
		return
	}
	r.enterViewChange(u, justification)
}
