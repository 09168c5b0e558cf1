package msglog

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Vote is one replica's latest prepare or commit for a slot.
type Vote struct {
	Cast   bool
	View   wire.View
	Digest wire.Digest
	Sig    wire.Signature
}

// Slot is everything known about one sequence number. Invariants:
//   - accepted, prepareSent and commitSent speak of the current view only; entering a view clears them;
//   - prepared is the certificate of the highest view, and never gets lower (V1);
//   - a commit certificate is final: no other digest can commit at this sequence number (I1).
type Slot struct {
	Seq wire.Seq

	Accepted   bool
	Digest     wire.Digest // of the pre-prepare accepted in the current view
	Proposal   Vote        // the primary's, of the pre-prepare accepted last, in whatever view
	AcceptedAt time.Duration

	PrepareSent, CommitSent bool
	VotedAt                 time.Duration // when this replica last signed a vote here
	Shown                   []bool        // by replica: was shown our pre-prepare because its prepare contradicts it

	Prepares []Vote // by replica; the vote of the highest view
	Commits  []Vote // by replica; the vote of the highest view

	Prepared   *wire.PreparedCert
	Cert       *wire.CommitCert // nil until the slot committed; its digest is final (I1)
	Journalled bool             // the journal lets this slot be executed again (Certified or Committed)
	HandedAt   time.Duration

	Bodies  []*wire.Body     // every body held here: of what is accepted, prepared or chosen
	Memory  int              // of the bodies
	Loose   bool             // a body came by certificate alone and no record holds it yet
	Waiting *wire.PrePrepare // not acceptable yet: early view, above the window, or from the future (N1, N6)

	WaitingMemory int // of the body of waiting, where there is one
}

// Settled is the body that committed, nil if it is not held, and since when it is known here. The slot may be nil.
func (s *Slot) Settled() (body *wire.Body, since time.Duration) {
	if s == nil || s.Cert == nil {
		return nil, 0
	}
	if since = s.HandedAt; s.Accepted {
		since = s.AcceptedAt
	}
	return s.Body(s.Cert.Digest), since
}

// Body returns the held body with this digest, or nil.
func (s *Slot) Body(d wire.Digest) *wire.Body {
	if d == wire.NullDigest {
		return wire.NullBody
	}
	for _, b := range s.Bodies {
		if b.Digest() == d {
			return b
		}
	}
	return nil
}

// MaxVoted bounds the bodies of one slot that a replica accepts of primaries. It keeps all that it voted for, even when
// another view chose something else: a certificate for any of them may have been formed where nobody correct saw it, and
// turn up in a later view change. That many take as many faulty primaries, none of them followed by a stable checkpoint.
// From then on only a null is accepted, which has no body, and a primary whose slot is full proposes one: so some view gets
// past it.
const MaxVoted = 8

// MaxBodies is more than a slot can come to hold: certificates add bodies that only others accepted. The n−f correct ones
// accept maxVoted each, and a certificate shows that Q−f ≥ (n−f)/2 of them accepted the same: they are less than 2·maxVoted.
const MaxBodies = 3 * MaxVoted

// Full reports whether a slot takes no other body of a primary.
func (s *Slot) Full() bool { return len(s.Bodies) >= MaxVoted }

// Keep stores a body, once. Beyond the bound it drops the oldest one that nothing here vouches for.
func (s *Slot) Keep(b *wire.Body) {
	if s.Body(b.Digest()) != nil {
		return
	}
	if len(s.Bodies) == MaxBodies {
		oldest := slices.IndexFunc(s.Bodies, func(held *wire.Body) bool { return !s.Vouches(held.Digest()) })
		s.Memory -= s.Bodies[oldest].Memory()
		s.Bodies = slices.Delete(s.Bodies, oldest, oldest+1)
	}
	s.Bodies = append(s.Bodies, b)
	s.Memory += b.Memory()
}

// Vouches reports whether the slot needs the body of a digest whatever comes.
func (s *Slot) Vouches(d wire.Digest) bool {
	return s.Accepted && d == s.Digest || s.Prepared != nil && d == s.Prepared.Digest || s.Cert != nil && d == s.Cert.Digest
}

// Accept binds the slot to a pre-prepare of the current view.
func (s *Slot) Accept(v wire.View, d wire.Digest, sig wire.Signature) {
	s.Accepted, s.Digest, s.Proposal = true, d, Vote{Cast: true, View: v, Digest: d, Sig: sig}
}

// Overruled reports whether another digest than the accepted one is known to be committed, in a later view: a vote for what
// was accepted would be one against it (I1).
func (s *Slot) Overruled() bool { return s.Accepted && s.Cert != nil && s.Cert.Digest != s.Digest }

// EndView forgets what was specific to the views below next. What prepared or committed stays, and so do the bodies: the
// next view may need any of them.
func (s *Slot) EndView(next wire.View) {
	if s.Waiting != nil && s.Waiting.View < next {
		s.Waiting = nil
	}
	s.Accepted, s.PrepareSent, s.CommitSent = false, false, false
	s.Digest = wire.Digest{}
	clear(s.Shown)
}

// Store stores a vote unless an equal or newer one is held. It returns the vote it contradicts, if any: one of the
// same view with another digest, which stays.
func Store(votes []Vote, from wire.ReplicaID, v Vote) (stored bool, contradicts *Vote) {
	held := &votes[from]
	switch {
	case !held.Cast || held.View < v.View:
		*held = v
		return true, nil
	case held.View == v.View && held.Digest != v.Digest:
		return false, held
	}
	return false, nil
}

// Matching returns the endorsements among votes for (view, digest), ascending by replica, leaving one replica out
// (none if skip is negative).
func Matching(votes []Vote, view wire.View, digest wire.Digest, skip int) []wire.Endorsement {
	found := make([]wire.Endorsement, 0, len(votes))
	for i := range votes {
		if v := &votes[i]; i != skip && v.Cast && v.View == view && v.Digest == digest {
			found = append(found, wire.Endorsement{Replica: wire.ReplicaID(i), Sig: v.Sig})
		}
	}
	return found
}

// Count is the length of what matching returns, without building it.
func Count(votes []Vote, view wire.View, digest wire.Digest, skip int) int {
	n := 0
	for i := range votes {
		if v := &votes[i]; i != skip && v.Cast && v.View == view && v.Digest == digest {
			n++
		}
	}
	return n
}

// Certify fixes what a sequence number holds: Q commits of one view agree on it.
func (s *Slot) Certify(cert *wire.CommitCert) {
	if s.Cert == nil {
		s.Cert = cert
	}
}

// Vouched lists the digests whose bodies this slot needs.
func (s *Slot) Vouched() []wire.Digest {
	var ds []wire.Digest
	if s.Cert != nil {
		ds = append(ds, s.Cert.Digest)
	}
	if s.Accepted && (s.Cert == nil || s.Digest != s.Cert.Digest) {
		ds = append(ds, s.Digest)
	}
	return ds
}

// SaidBy lists what a replica signed for one sequence number: by its own votes, and inside certificates.
func (s *Slot) SaidBy(cfg *wire.Config, id wire.ReplicaID, view wire.View) []wire.Statement {
	var all []wire.Statement
	add := func(t wire.Type, v wire.View, d wire.Digest, sig wire.Signature) {
		said := wire.Statement{Type: t, View: v, Seq: s.Seq, Digest: d, Sig: sig}
		if !slices.Contains(all, said) {
			all = append(all, said)
		}
	}
	if s.Accepted && cfg.Primary(view) == id {
		add(wire.TypePrePrepare, view, s.Digest, s.Proposal.Sig)
	}
	if p := &s.Prepares[id]; p.Cast {
		add(wire.TypePrepare, p.View, p.Digest, p.Sig)
	}
	if c := &s.Commits[id]; c.Cast {
		add(wire.TypeCommit, c.View, c.Digest, c.Sig)
	}
	if c := s.Prepared; c != nil {
		if cfg.Primary(c.View) == id {
			add(wire.TypePrePrepare, c.View, c.Digest, c.PrePrepare)
		}
		if sig, signed := signedBy(c.Prepares, id); signed {
			add(wire.TypePrepare, c.View, c.Digest, sig)
		}
	}
	if c := s.Cert; c != nil && len(all) < wire.HeldPerSlot {
		if sig, signed := signedBy(c.Commits, id); signed {
			add(wire.TypeCommit, c.View, c.Digest, sig)
		}
	}
	return all
}

func signedBy(list []wire.Endorsement, id wire.ReplicaID) (wire.Signature, bool) {
	for i := range list {
		if list[i].Replica == id {
			return list[i].Sig, true
		}
	}
	return wire.Signature{}, false
}

// IsKnown reports whether a slot was proposed in the current view or is decided, or whether so many replicas say so. What a
// former view left is in O, if it can matter.
func (s *Slot) IsKnown(view wire.View, active bool, enough int) bool {
	if s.Accepted || s.Cert != nil || s.Waiting != nil && s.Waiting.View == view || !active && s.Prepared != nil {
		return true
	}
	voters := 0
	for i := range s.Prepares {
		if p, c := &s.Prepares[i], &s.Commits[i]; p.counts(view, active) || c.counts(view, active) {
			voters++
		}
	}
	return voters >= enough
}

// counts reports whether a vote may still count in the current view. While none is active, old ones may certify a slot
// (N7).
func (v *Vote) counts(view wire.View, active bool) bool { return v.Cast && (v.View == view || !active) }

// Lacks says what is missing for a slot above what was executed; nil is one of which nothing was heard.
func (s *Slot) Lacks(view wire.View) wire.Lacks {
	if s == nil {
		return wire.LacksProposal | wire.LacksPrepares | wire.LacksCommits
	}
	if s.Cert != nil {
		return 0
	}
	missing := wire.LacksCommits
	if waits := s.Waiting != nil && s.Waiting.View == view; !s.Accepted && !waits {
		missing |= wire.LacksProposal
	}
	if !s.CommitSent {
		missing |= wire.LacksPrepares
	}
	return missing
}

// Says reports whether a vote was cast and says the same as another one.
func (v *Vote) Says(other *Vote) bool {
	return v.Cast && v.View == other.View && v.Digest == other.Digest
}

// Committed is the certificate of Q commits for (view, digest), nil with fewer.
func (s *Slot) Committed(view wire.View, digest wire.Digest, quorum int) *wire.CommitCert {
	if Count(s.Commits, view, digest, -1) < quorum {
		return nil
	}
	return &wire.CommitCert{
		View: view, Seq: s.Seq, Digest: digest, Commits: Matching(s.Commits, view, digest, -1)[:quorum],
	}
}
