package pbft

import "tagma/pbft/wire"

// What a Status lists as missing: everything that a correct replica may have, and little of what one alone names (S4).

// nearby is how far above what is known the slots are listed that a single replica named: a vote may come before all others.
const nearby = 32

// known is the highest sequence number that a correct replica has something for: the end of the window that somebody merely
// named would lengthen every status by the whole of it (S4).
func (r *Replica) known() wire.Seq {
	seq := min(r.log.seen, r.log.high())
	for first := r.firstMissing(); seq >= first; seq-- {
		if s := r.log.peek(seq); s != nil && r.isKnown(s) {
			break
		}
	}
	return max(seq, r.log.low, min(r.learned, r.log.high()))
}

// isKnown reports whether a slot was proposed in the current view or is decided, or whether f+1 replicas say so. What a
// former view left is in O, if it can matter.
func (r *Replica) isKnown(s *slot) bool {
	if s.accepted || s.cert != nil || s.waiting != nil && s.waiting.View == r.view || !r.active && s.prepared != nil {
		return true
	}
	voters := 0
	for i := range s.prepares {
		if p, c := &s.prepares[i], &s.commits[i]; r.current(p) || r.current(c) {
			voters++
		}
	}
	return voters >= r.cfg.Weak()
}

// current reports whether a vote may still count in the current view. While none is active, old ones may certify a slot
// (N7).
func (r *Replica) current(v *vote) bool { return v.cast && (v.view == r.view || !r.active) }

// firstMissing is the lowest sequence number that is of use and not executed: who is left behind has only to vote above h,
// for it can execute nothing, and what lies lower comes by state transfer.
func (r *Replica) firstMissing() wire.Seq {
	if r.leftBehind() {
		return r.log.low + 1
	}
	return r.handed + 1
}

// lacks says what is missing for a sequence number above what was executed.
func (r *Replica) lacks(seq wire.Seq) wire.Lacks {
	s := r.log.peek(seq)
	if s == nil {
		return wire.LacksProposal | wire.LacksPrepares | wire.LacksCommits
	}
	if s.cert != nil {
		return 0
	}
	missing := wire.LacksCommits
	if waits := s.waiting != nil && s.waiting.View == r.view; !s.accepted && !waits {
		missing |= wire.LacksProposal
	}
	if !s.commitSent {
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
		if lack.Seq > r.learned && r.learned < r.log.high() {
			r.learned++
		}
	}
	r.log.seen = max(r.log.seen, r.learned)
}
