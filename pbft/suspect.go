package pbft

import (
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Leaving a view together (V7): no replica leaves alone, f+1 replicas must suspect the primary.

// suspicion holds the highest Suspect of every replica, and when it stops counting unless it is sent again.
type suspicion struct {
	highest msglog.Suspects
	until   []time.Duration
	again   time.Duration
	sent    bool // in the current view
	cause   port.Cause
}

// suspectTimeouts is how many T a Suspect counts after it was last received (V7). Its sender repeats it each T, however long
// the current timeout is, so it stops counting only if several repetitions in a row are lost. If it never stopped, two short
// disturbances hours apart would change the view, and a faulty replica could use an old Suspect of a correct one for ever.
const suspectTimeouts = 4

// suspectNow broadcasts a Suspect for the current view, and again each T while the cause lasts. Voting continues.
func (r *Replica) suspectNow(cause port.Cause) {
	if r.suspicion.sent && r.mono < r.suspicion.again {
		return
	}
	r.suspicion.sent, r.suspicion.cause = true, cause
	r.suspicion.again = r.mono + r.cfg.ViewTimeout
	r.emit(port.Broadcast{Msg: &wire.Suspect{View: r.view, Replica: r.cfg.Self}})
}

func (r *Replica) onSuspect(m *wire.Suspect, from port.Source) {
	if !r.ownVote(m.Replica, from) {
		r.drop(m, port.ReasonNotSender)
		return
	}
	if !r.suspicion.highest.Note(m) {
		r.drop(m, port.ReasonDuplicate)
		if r.suspicion.highest[m.Replica].View > m.View {
			return
		}
	}
	r.suspicion.until[m.Replica] = r.mono + suspectTimeouts*r.cfg.ViewTimeout
	if m.View < r.view {
		r.drop(m, port.ReasonOldView)
	}
	r.leaveIfSuspected()
}

// leaveIfSuspected moves to the highest view u above our own that f+1 replicas want. A replica wants u if it renews a
// Suspect of u−1 or of a later view, or if it has itself sent a ViewChange for u or a later view. A Suspect nested in
// another replica's message does not count, because it may be old. If this replica may not send a ViewChange for u, it
// waits until it receives one from another: if it left first, the others would not follow (D8.8). Once it has left its
// view, it enters the highest view for which it holds a ViewChange.
func (r *Replica) leaveIfSuspected() {
	wanted := make([]wire.View, r.cfg.N())
	var highest *wire.ViewChange
	for id := range wanted {
		if r.mono < r.suspicion.until[id] {
			wanted[id] = r.suspicion.highest[id].View + 1
		}
		if m := r.change.votes[id]; m != nil && m.View > r.view {
			wanted[id] = max(wanted[id], m.View)
			if highest == nil || m.View > highest.View {
				highest = m
			}
		}
	}
	u, justification := r.suspicion.highest.Justify(r.cfg.Weak(), wanted)
	switch {
	case u <= r.view:
	case highest != nil && highest.View >= u:
		r.enterViewChange(highest.View, highest.Suspects)
	case r.mayVote(u):
		r.enterViewChange(u, justification)
	}
}
