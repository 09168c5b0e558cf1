package pbft

import "time"

// vote is one replica's latest prepare or commit for a slot.
type vote struct {
	cast   bool
	view   View
	digest Digest
	sig    Signature
}

// slot is everything known about one sequence number. Invariants:
//   - accepted, prepareSent and commitSent speak of the current view only; entering a view clears them;
//   - prepared is the certificate of the highest view, and never gets lower (V1);
//   - a commit certificate is final: no other digest can commit at this sequence number (I1).
type slot struct {
	seq Seq

	accepted   bool
	digest     Digest    // of the pre-prepare accepted in the current view
	proposal   Signature // the primary's, on that pre-prepare
	acceptedAt time.Duration

	prepareSent, commitSent bool
	votedAt                 time.Duration // when this replica last signed a vote here
	shown                   []bool        // by replica: was shown our pre-prepare because its prepare contradicts it

	prepares []vote // by replica; the vote of the highest view
	commits  []vote // by replica; the vote of the highest view

	prepared   *PreparedCert
	cert       *CommitCert // nil until the slot committed; its digest is final (I1)
	journalled bool        // the journal lets this slot be executed again (Certified or Committed)
	handedAt   time.Duration

	bodies  []*Body     // every body held here: of what is accepted, prepared or chosen
	waiting *PrePrepare // not acceptable yet: early view, above the window, or from the future (N1, N6)
}

// body returns the held body with this digest, or nil.
func (s *slot) body(d Digest) *Body {
	if d == NullDigest {
		return NullBody
	}
	for _, b := range s.bodies {
		if b.Digest() == d {
			return b
		}
	}
	return nil
}

// keep stores a body, once.
func (s *slot) keep(b *Body) {
	if s.body(b.Digest()) == nil {
		s.bodies = append(s.bodies, b)
	}
}

// forgetBodies drops every body that nothing vouches for any more.
func (s *slot) forgetBodies() {
	kept := s.bodies[:0]
	for _, b := range s.bodies {
		d := b.Digest()
		if s.accepted && d == s.digest || s.prepared != nil && d == s.prepared.Digest || s.cert != nil && d == s.cert.Digest {
			kept = append(kept, b)
		}
	}
	clear(s.bodies[len(kept):])
	s.bodies = kept
}

// endView forgets what was specific to the view that is left. What prepared or committed stays, and so do the bodies:
// the next view may need any of them.
func (s *slot) endView() {
	s.accepted, s.prepareSent, s.commitSent = false, false, false
	s.digest, s.proposal = Digest{}, Signature{}
	clear(s.shown)
}

// record stores a vote unless an equal or newer one is held. It returns the vote it contradicts, if any: one of the
// same view with another digest, which stays.
func record(votes []vote, from ReplicaID, v vote) (stored bool, contradicts *vote) {
	held := &votes[from]
	switch {
	case !held.cast || held.view < v.view:
		*held = v
		return true, nil
	case held.view == v.view && held.digest != v.digest:
		return false, held
	}
	return false, nil
}

// matching returns the endorsements among votes for (view, digest), ascending by replica, leaving one replica out
// (none if skip is negative).
func matching(votes []vote, view View, digest Digest, skip int) []Endorsement {
	var found []Endorsement
	for i := range votes {
		if v := &votes[i]; i != skip && v.cast && v.view == view && v.digest == digest {
			found = append(found, Endorsement{Replica: ReplicaID(i), Sig: v.sig})
		}
	}
	return found
}

// count is the length of what matching returns, without building it.
func count(votes []vote, view View, digest Digest, skip int) int {
	n := 0
	for i := range votes {
		if v := &votes[i]; i != skip && v.cast && v.view == view && v.digest == digest {
			n++
		}
	}
	return n
}
