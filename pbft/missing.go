package pbft

import (
	"tagma/pbft/msglog"
	"tagma/pbft/wire"
)

// What a Status lists as missing: everything that a correct replica may have, and little of what one alone names (S4).

// nearby is how far above what is known the slots are listed that a single replica named: a vote may come before all others.
const nearby = 32

// known is the highest sequence number that a correct replica has something for: the end of the window that somebody merely
// named would lengthen every status by the whole of it (S4).
func (r *Replica) known() wire.Seq {
	seq := min(r.log.Seen, r.log.High())
	for first := r.firstMissing(); seq >= first; seq-- {
		if s := r.log.Peek(seq); s != nil && r.isKnown(s) {
			break
		}
	}
	return max(seq, r.log.Low, min(r.learned, r.log.High()))
}

// isKnown reports whether a slot was proposed in the current view or is decided, or whether f+1 replicas say so. What a
// former view left is in O, if it can matter.
func (r *Replica) isKnown(s *msglog.Slot) bool {
	if s.Accepted || s.Cert != nil || s.Waiting != nil && s.Waiting.View == r.view || !r.active && s.Prepared != nil {
		return true
	}
	voters := 0
	for i := range s.Prepares {
		if p, c := &s.Prepares[i], &s.Commits[i]; r.current(p) || r.current(c) {
			voters++
		}
	}
	return voters >= r.cfg.Weak()
}

// current reports whether a vote may still count in the current view. While none is active, old ones may certify a slot
// (N7).
func (r *Replica) current(v *msglog.Vote) bool { return v.Cast && (v.View == r.view || !r.active) }

// firstMissing is the lowest sequence number that is of use and not executed: who is left behind has only to vote above h,
// for it can execute nothing, and what lies lower comes by state transfer.
func (r *Replica) firstMissing() wire.Seq {
	if r.leftBehind() {
		return r.log.Low + 1
	}
	return r.handed + 1
}

// lacks says what is missing for a sequence number above what was executed.
func (r *Replica) lacks(seq wire.Seq) wire.Lacks {
	s := r.log.Peek(seq)
	if s == nil {
		return wire.LacksProposal | wire.LacksPrepares | wire.LacksCommits
	}
	if s.Cert != nil {
		return 0
	}
	missing := wire.LacksCommits
	if waits := s.Waiting != nil && s.Waiting.View == r.view; !s.Accepted && !waits {
		missing |= wire.LacksProposal
	}
	if !s.CommitSent {
		missing |= wire.LacksPrepares
	}
	return missing
}

// learnOf takes from the primary's status how far it has proposed: a pre-prepare that was lost on the way to everybody
// shows nowhere else, and who knows of it asks for it. It lists each one, and counts for no more than it lists.
func (r *Replica) learnOf(m *wire.Status, from wire.ReplicaID) {
	if len(m.Slots) == 0 || m.View != r.view || from != r.cfg.Primary(r.view) {
		return
	}
	r.learned = max(r.learned, r.known())
	for _, lack := range m.Slots {
		if lack.Seq > r.learned && r.learned < r.log.High() {
			r.learned++
		}
	}
	r.log.Seen = max(r.log.Seen, r.learned)
}
