package pbft

import (
	"time"

	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Leaving a view together (V7): nobody leaves alone, f+1 replicas must suspect.

// suspicion holds the highest Suspect of every replica, and until when it counts unless its sender says it again.
type suspicion struct {
	highest msglog.Suspects
	until   []time.Duration
	again   time.Duration
	sent    bool // in the current view
	cause   port.Cause
}

// A Suspect counts while it is renewed (V7): each T, whatever the timeout has become, so that it takes several lost ones in
// a row until it counts no more. Without an end, two hiccups hours apart would change the view, and a faulty replica could
// keep one of a correct replica for ever.
const suspectTimeouts = 4

// suspectNow broadcasts a Suspect for the current view, again each T while there is reason to. It does not stop this
// replica from voting.
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

// leaveIfSuspected moves to the highest view u above our own that f+1 replicas want: by a Suspect of u−1 or a later view
// that they renew, or because they left for u or a later one themselves. A Suspect that others show wants nothing: it may
// be old. A replica that must not contribute to u waits for somebody's ViewChange: leaving on its own word, it would take
// nobody along (D8.8). Once a view is left there is nothing to keep: the highest one that a ViewChange is for is entered.
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
