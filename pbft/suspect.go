package pbft

import (
	"cmp"
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Leaving a view together (V7): nobody leaves alone, f+1 replicas must suspect.

// suspicion holds the highest Suspect of every replica.
type suspicion struct {
	highest []wire.Suspect // by replica; zero signature: none
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
	if !r.suspicion.note(m) {
		r.drop(m, port.ReasonDuplicate)
		return
	}
	if m.View < r.view {
		r.drop(m, port.ReasonOldView)
	}
	r.leaveIfSuspected()
}

// note keeps a Suspect if it is its sender's highest one.
func (s *suspicion) note(m *wire.Suspect) bool {
	held := &s.highest[m.Replica]
	if held.Sig != (wire.Signature{}) && held.View >= m.View {
		return false
	}
	*held = *m
	return true
}

// leaveIfSuspected moves to the highest view u above our own for which f+1 replicas suspect u−1 or a later one. A
// replica that must not contribute to u waits for somebody's ViewChange: leaving on its own word, it would take nobody
// along (D8.8).
func (r *Replica) leaveIfSuspected() {
	held := make([]wire.Suspect, 0, r.cfg.N())
	for _, s := range r.suspicion.highest {
		if s.Sig != (wire.Signature{}) {
			held = append(held, s)
		}
	}
	if len(held) < r.cfg.Weak() {
		return
	}
	slices.SortStableFunc(held, func(a, b wire.Suspect) int { return cmp.Compare(b.View, a.View) })
	justification := held[:r.cfg.Weak()]
	u := justification[len(justification)-1].View + 1
	if u <= r.view || !r.mayVote(u) {
		return
	}
	slices.SortFunc(justification, func(a, b wire.Suspect) int { return cmp.Compare(a.Replica, b.Replica) })
	r.enterViewChange(u, justification)
}
