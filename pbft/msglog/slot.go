package msglog

import (
	"slices"
	"time"

	"tagma/pbft/port"
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
	Proposal   Vote        // the pre-prepare accepted last, in whatever view; what its primary signed
	AcceptedAt time.Duration

	PrepareSent, CommitSent bool
	VotedAt                 time.Duration // when this replica last signed a vote here
	// By replica: our accepted pre-prepare was sent to it, because its vote contradicts it.
	Shown []bool

	Prepares []Vote // by replica; the vote of the highest view
	Commits  []Vote // by replica; the vote of the highest view

	Prepared *wire.PreparedCert
	Cert     *wire.CommitCert // nil until the slot committed; its digest is final (I1)
	// The journal has a Certified or Committed record, from which this slot can be executed again.
	Journalled bool
	HandedAt   time.Duration

	Bodies  []*wire.Body     // every body held here; its digest is accepted, prepared or chosen by a new view
	Memory  int              // size of the bodies in memory
	Loose   bool             // a body arrived only with a certificate, and no journal record holds it yet
	Waiting *wire.PrePrepare // a pre-prepare for a later view, above the window, or ahead of our clock (N1, N6)

	WaitingMemory int // size in memory of the body of Waiting, 0 without one
}

// Settled returns the committed body, nil if it is not held, and the time since when this replica has known it. The
// slot may be nil.
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

// MaxVoted is how many bodies of one slot a replica accepts from primaries. It keeps every body that it voted for, even
// if a later view chose another one: a certificate for it may have been formed that no correct replica has seen, and may
// turn up in a later view change. Filling a slot takes MaxVoted faulty primaries in a row without a stable checkpoint in
// between. A full slot accepts only a null, which has no body. A primary whose own slot is full proposes a null, so some
// later view decides the slot.
const MaxVoted = 8

// MaxBodies is more than a slot can come to hold: certificates add bodies that only other replicas accepted. The n−f
// correct replicas accept MaxVoted bodies each. A certificate shows that at least Q−f ≥ (n−f)/2 of them accepted the
// same body, so there are fewer than 2·MaxVoted certified bodies.
const MaxBodies = 3 * MaxVoted

// Full reports whether the slot accepts no further body from a primary.
func (s *Slot) Full() bool { return len(s.Bodies) >= MaxVoted }

// Keep stores a body that the slot does not hold yet. If the slot is full, it drops the oldest body for which Vouches is
// false.
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

// Vouches reports whether the slot needs the body of a digest: the digest is accepted, prepared or committed.
func (s *Slot) Vouches(d wire.Digest) bool {
	return s.Accepted && d == s.Digest || s.Prepared != nil && d == s.Prepared.Digest || s.Cert != nil && d == s.Cert.Digest
}

// Accept binds the slot to a pre-prepare of the current view.
func (s *Slot) Accept(v wire.View, d wire.Digest, sig wire.Signature) {
	s.Accepted, s.Digest, s.Proposal = true, d, Vote{Cast: true, View: v, Digest: d, Sig: sig}
}

// Overruled reports whether a later view is known to have committed another digest than the accepted one. A vote for
// the accepted one would then be a vote against a committed batch (I1).
func (s *Slot) Overruled() bool { return s.Accepted && s.Cert != nil && s.Cert.Digest != s.Digest }

// EndView drops what belongs only to views below next. Prepared and commit certificates stay. Bodies stay as well,
// because the next view may need any of them.
func (s *Slot) EndView(next wire.View) {
	if s.Waiting != nil && s.Waiting.View < next {
		s.Waiting = nil
	}
	s.Accepted, s.PrepareSent, s.CommitSent = false, false, false
	s.Digest = wire.Digest{}
	clear(s.Shown)
}

// Store stores a vote unless an equal or newer one is held. It returns the held vote that it contradicts, if any: a
// vote of the same view for another digest, which stays stored.
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

// Matching returns the endorsements among votes for (view, digest), ascending by replica, without that of replica skip
// (a negative skip leaves nobody out).
func Matching(votes []Vote, view wire.View, digest wire.Digest, skip int) []wire.Endorsement {
	found := make([]wire.Endorsement, 0, len(votes))
	for i := range votes {
		if v := &votes[i]; i != skip && v.Cast && v.View == view && v.Digest == digest {
			found = append(found, wire.Endorsement{Replica: wire.ReplicaID(i), Sig: v.Sig})
		}
	}
	return found
}

// Count is the length of what Matching returns, without building it.
func Count(votes []Vote, view wire.View, digest wire.Digest, skip int) int {
	n := 0
	for i := range votes {
		if v := &votes[i]; i != skip && v.Cast && v.View == view && v.Digest == digest {
			n++
		}
	}
	return n
}

// Certify stores the commit certificate that decides the slot; the first one stays.
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

// SaidBy lists what a replica signed for this sequence number: its own votes, and its signatures inside certificates.
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

// IsKnown reports whether something is known of a slot in the current view: it was proposed or decided, or enough
// replicas voted in it. Slots of an earlier view that still matter are in O, and so are proposed again.
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

// counts reports whether a vote may still count in the current view. While no view is active, votes of any view count:
// they may certify the slot (N7).
func (v *Vote) counts(view wire.View, active bool) bool { return v.Cast && (v.View == view || !active) }

// Lacks says which messages are missing for a slot above what was executed. A nil slot stands for one without any message.
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

// Says reports whether a vote was cast, and has the same view and digest as the other one.
func (v *Vote) Says(other *Vote) bool {
	return v.Cast && v.View == other.View && v.Digest == other.Digest
}

// Committed returns the certificate of Q commits for (view, digest), or nil if there are fewer.
func (s *Slot) Committed(view wire.View, digest wire.Digest, quorum int) *wire.CommitCert {
	if Count(s.Commits, view, digest, -1) < quorum {
		return nil
	}
	return &wire.CommitCert{
		View: view, Seq: s.Seq, Digest: digest, Commits: Matching(s.Commits, view, digest, -1)[:quorum],
	}
}

// Wait describes what a slot of the current view waits for, given a monotonic time and this replica's wall clock.
func (w *Window) Wait(seq wire.Seq, view wire.View, cfg *wire.Config, mono time.Duration, wall int64) port.SlotWait {
	wait := port.SlotWait{Seq: seq}
	s := w.Peek(seq)
	if s == nil {
		return wait
	}
	if m := s.Waiting; m != nil {
		wait.Ahead = max(0, time.Duration(m.Body.Time-wall)-cfg.ClockTolerance)
	}
	wait.Committed = s.Cert != nil
	if wait.Accepted = s.Accepted; s.Accepted {
		wait.For = mono - s.AcceptedAt
		wait.Held = s.Body(s.Digest) != nil
		wait.Prepares = append(voters(s.Prepares, view, s.Digest), cfg.Primary(view))
		wait.Commits = voters(s.Commits, view, s.Digest)
	}
	if wait.Committed {
		wait.Held = s.Body(s.Cert.Digest) != nil
	}
	return wait
}

// voters are the replicas whose votes Matching returns.
func voters(votes []Vote, view wire.View, digest wire.Digest) (ids []wire.ReplicaID) {
	for i := range votes {
		if v := &votes[i]; v.Cast && v.View == view && v.Digest == digest {
			ids = append(ids, wire.ReplicaID(i))
		}
	}
	return ids
}
