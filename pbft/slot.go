package pbft

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// vote is one replica's latest prepare or commit for a slot.
type vote struct {
	cast   bool
	view   wire.View
	digest wire.Digest
	sig    wire.Signature
}

// slot is everything known about one sequence number. Invariants:
//   - accepted, prepareSent and commitSent speak of the current view only; entering a view clears them;
//   - prepared is the certificate of the highest view, and never gets lower (V1);
//   - a commit certificate is final: no other digest can commit at this sequence number (I1).
type slot struct {
	seq wire.Seq

	accepted   bool
	digest     wire.Digest    // of the pre-prepare accepted in the current view
	proposal   wire.Signature // the primary's, on that pre-prepare
	acceptedAt time.Duration

	prepareSent, commitSent bool
	votedAt                 time.Duration // when this replica last signed a vote here
	shown                   []bool        // by replica: was shown our pre-prepare because its prepare contradicts it

	prepares []vote // by replica; the vote of the highest view
	commits  []vote // by replica; the vote of the highest view

	prepared   *wire.PreparedCert
	cert       *wire.CommitCert // nil until the slot committed; its digest is final (I1)
	journalled bool             // the journal lets this slot be executed again (Certified or Committed)
	handedAt   time.Duration

	bodies  []*wire.Body     // every body held here: of what is accepted, prepared or chosen
	memory  int              // of the bodies
	loose   bool             // a body came by certificate alone and no record holds it yet
	waiting *wire.PrePrepare // not acceptable yet: early view, above the window, or from the future (N1, N6)
}

// body returns the held body with this digest, or nil.
func (s *slot) body(d wire.Digest) *wire.Body {
	if d == wire.NullDigest {
		return wire.NullBody
	}
	for _, b := range s.bodies {
		if b.Digest() == d {
			return b
		}
	}
	return nil
}

// maxVoted bounds the bodies of one slot that a replica accepts of primaries. It keeps all that it voted for, even when
// another view chose something else: a certificate for any of them may have been formed where nobody correct saw it, and
// turn up in a later view change. That many take as many faulty primaries, none of them followed by a stable checkpoint.
// From then on only a null is accepted, which has no body, and a primary whose slot is full proposes one: so some view gets
// past it.
const maxVoted = 8

// maxBodies is more than a slot can come to hold: certificates add bodies that only others accepted. The n−f correct ones
// accept maxVoted each, and a certificate shows that Q−f ≥ (n−f)/2 of them accepted the same: they are less than 2·maxVoted.
const maxBodies = 3 * maxVoted

// full reports whether a slot takes no other body of a primary.
func (s *slot) full() bool { return len(s.bodies) >= maxVoted }

// keep stores a body, once. Beyond the bound it drops the oldest one that nothing here vouches for.
func (s *slot) keep(b *wire.Body) {
	if s.body(b.Digest()) != nil {
		return
	}
	if len(s.bodies) == maxBodies {
		oldest := slices.IndexFunc(s.bodies, func(held *wire.Body) bool { return !s.vouches(held.Digest()) })
		s.memory -= s.bodies[oldest].Memory()
		s.bodies = slices.Delete(s.bodies, oldest, oldest+1)
	}
	s.bodies = append(s.bodies, b)
	s.memory += b.Memory()
}

// vouches reports whether the slot needs the body of a digest whatever comes.
func (s *slot) vouches(d wire.Digest) bool {
	return s.accepted && d == s.digest || s.prepared != nil && d == s.prepared.Digest || s.cert != nil && d == s.cert.Digest
}

// endView forgets what was specific to the views below next. What prepared or committed stays, and so do the bodies: the
// next view may need any of them.
func (s *slot) endView(next wire.View) {
	if s.waiting != nil && s.waiting.View < next {
		s.waiting = nil
	}
	s.accepted, s.prepareSent, s.commitSent = false, false, false
	s.digest, s.proposal = wire.Digest{}, wire.Signature{}
	clear(s.shown)
}

// record stores a vote unless an equal or newer one is held. It returns the vote it contradicts, if any: one of the
// same view with another digest, which stays.
func record(votes []vote, from wire.ReplicaID, v vote) (stored bool, contradicts *vote) {
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
func matching(votes []vote, view wire.View, digest wire.Digest, skip int) []wire.Endorsement {
	found := make([]wire.Endorsement, 0, len(votes))
	for i := range votes {
		if v := &votes[i]; i != skip && v.cast && v.view == view && v.digest == digest {
			found = append(found, wire.Endorsement{Replica: wire.ReplicaID(i), Sig: v.sig})
		}
	}
	return found
}

// count is the length of what matching returns, without building it.
func count(votes []vote, view wire.View, digest wire.Digest, skip int) int {
	n := 0
	for i := range votes {
		if v := &votes[i]; i != skip && v.cast && v.view == view && v.digest == digest {
			n++
		}
	}
	return n
}
