package pbft

import (
	"slices"
	"time"

	"tagma/pbft/wire"
)

// Retransmission by status: every replica says from time to time what it has and lacks, and the others send again what
// it lacks. Nothing else is ever re-sent unasked, except a Suspect (V7).

// How much one status may bring back.
const (
	maxPushedSlots = 256
	maxPushedBytes = 4 << 20
)

// peer is what is known of another replica.
type peer struct {
	status     *wire.Status
	heardAt    time.Duration
	answeredAt time.Duration
	fetched    int           // bytes of bodies it fetched since fetchedAt
	fetchedAt  time.Duration // beginning of the period
	votes      allowance     // for slots whose votes it is sent again
	views      allowance     // for slots in view changes and new views that it is sent again
	pushes     allowance     // for slots that it is brought with their certificates

	asked      bool          // it asked what is held of it
	askedAt    time.Duration // when it did last
	wished     wire.Seq      // up to where it asked for the order to go on
	wanted     wire.Seq      // up to where that is granted (D8.9)
	wantedAt   time.Duration
	wantsWait  time.Duration // before another wish of it is heard
	wantsAgain time.Duration
}

// reportStatus broadcasts a Status when it is due: every quarter of a timeout, twice as often while something is missing.
func (r *Replica) reportStatus() {
	if r.mono < r.nextStatus {
		return
	}
	m := r.newStatus()
	r.lastStatus = r.mono
	r.nextStatus = r.mono + r.cfg.ViewTimeout/4
	if !r.active || len(m.Slots) > 0 || r.behind() {
		r.nextStatus = r.mono + r.cfg.ViewTimeout/8
	}
	r.fetchMissing(m.Helper)
	r.emit(Broadcast{m})
}

// newStatus is what this replica has and lacks. Its helper, another one each time, is asked for what is large: a faulty
// one costs a period, and a correct one does not send what others send too.
func (r *Replica) newStatus() *wire.Status {
	r.helper = wire.ReplicaID((int(r.helper) + 1) % r.cfg.N())
	if r.helper == r.cfg.Self {
		r.helper = wire.ReplicaID((int(r.helper) + 1) % r.cfg.N())
	}
	m := &wire.Status{
		View: r.view, Active: r.active, Executed: r.handed, Stable: r.log.low, Wall: r.wall, Helper: r.helper,
	}
	if !r.active {
		m.ViewChanges = r.viewChangesHeld()
	}
	last := min(r.log.seen, r.log.high(), r.known()+nearby)
	for seq := r.firstMissing(); seq <= last && len(m.Slots) < int(2*r.cfg.LogWindow); seq++ {
		if lacks := r.lacks(seq); lacks != 0 {
			m.Slots = append(m.Slots, wire.SlotStatus{Seq: seq, Lacks: lacks})
		}
	}
	return m
}

// behind reports whether another replica has executed more than this one, and can bring it up.
func (r *Replica) behind() bool {
	if r.leftBehind() {
		return false
	}
	for i := range r.peers {
		if s := r.peers[i].status; s != nil && s.Executed > r.handed {
			return true
		}
	}
	return r.log.low > r.handed
}

// fetchMissing asks one replica for bodies that a certificate or a new view vouches for. Any replica may lack one, so
// the next status asks another.
func (r *Replica) fetchMissing(from wire.ReplicaID) {
	asked := 0
	for seq := r.firstMissing(); seq <= r.log.seen && asked < maxPushedSlots; seq++ {
		s := r.log.peek(seq)
		if s == nil {
			continue
		}
		for _, d := range s.vouched() {
			if s.body(d) == nil {
				asked++
				r.send(from, &wire.Fetch{Seq: seq, Digest: d})
			}
		}
	}
}

// vouched lists the digests whose bodies this slot needs.
func (s *slot) vouched() []wire.Digest {
	var ds []wire.Digest
	if s.cert != nil {
		ds = append(ds, s.cert.Digest)
	}
	if s.accepted && (s.cert == nil || s.digest != s.cert.Digest) {
		ds = append(ds, s.digest)
	}
	return ds
}

// onStatus sends again what its sender lacks and this replica has.
func (r *Replica) onStatus(m *wire.Status, from Source) {
	if from.Loopback {
		return
	}
	to := from.Replica
	p := &r.peers[to]
	often := p.status != nil && r.mono-p.answeredAt < r.cfg.ViewTimeout/16
	p.status, p.heardAt = m, r.mono
	if often { // an answer is long; a correct replica asks half as often at most
		r.drop(m, ReasonTooOften)
		return
	}
	p.answeredAt = r.mono
	p.votes.refill(r)
	p.views.refill(r)
	p.pushes.refill(r)
	r.learnOf(m, to)
	if m.Stable < r.log.low {
		r.send(to, &wire.StableNotice{Cert: r.checkpoints.stable})
	}
	r.helpIntoView(to, m)
	r.resendVotes(to, m)
	r.resendCheckpoint(to, m)
	r.push(to, m)
}

// helpIntoView brings a replica that is in a lower view, or waits in this one, what moves it on (V5).
func (r *Replica) helpIntoView(to wire.ReplicaID, m *wire.Status) {
	waits := m.View == r.view && !m.Active
	if m.View > r.view || m.View == r.view && !waits {
		return
	}
	if r.active {
		long := r.origin != nil && (r.isPrimary() || m.Helper == r.cfg.Self)
		if long && r.peers[to].views.spend(r.cfg, 1+len(r.origin.Proposals)) {
			r.send(to, r.origin)
		}
		return
	}
	own := r.change.votes[r.cfg.Self]
	if own == nil || own.View != r.view || waits && slices.Contains(m.ViewChanges, r.cfg.Self) {
		return
	}
	if r.peers[to].views.spend(r.cfg, 1+len(own.Prepared)) {
		r.send(to, own)
	}
}

// resendVotes repeats our part of each slot that the sender lacks something for. What was said only a moment ago is
// left out: it is likely to be on its way.
func (r *Replica) resendVotes(to wire.ReplicaID, m *wire.Status) {
	settled := r.mono - r.cfg.ViewTimeout/16
	bytes := 0
	for _, lack := range m.Slots {
		s := r.log.peek(lack.Seq)
		if s == nil {
			continue
		}
		prepare, commit := &s.prepares[r.cfg.Self], &s.commits[r.cfg.Self]
		voted := s.votedAt <= settled
		proposes := lack.Lacks&wire.LacksProposal != 0 && r.mayResendProposal(m, s) && s.acceptedAt <= settled && bytes < maxPushedBytes
		prepares := lack.Lacks&wire.LacksPrepares != 0 && voted && prepare.cast && prepare.view == m.View
		commits := lack.Lacks&wire.LacksCommits != 0 && voted && commit.cast
		if !proposes && !prepares && !commits {
			continue // costs the sender nothing: others may have named slots that nobody can help with
		}
		if !r.peers[to].votes.spend(r.cfg, 1) {
			return
		}
		if proposes {
			bytes += r.resendProposal(to, s)
		}
		if prepares {
			r.send(to, &wire.Prepare{View: prepare.view, Seq: s.seq, Digest: prepare.digest, Replica: r.cfg.Self, Sig: prepare.sig})
		}
		if commits {
			r.send(to, &wire.Commit{View: commit.view, Seq: s.seq, Digest: commit.digest, Replica: r.cfg.Self, Sig: commit.sig})
		}
	}
}

// mayResendProposal reports whether this replica has the proposal of a slot for who sent a status, and is one of those that
// bring what is large: the primary and the helper.
func (r *Replica) mayResendProposal(m *wire.Status, s *slot) bool {
	ours := r.isPrimary() || m.Helper == r.cfg.Self
	return ours && m.View == r.view && m.Active && r.active && s.accepted && s.body(s.digest) != nil
}

// resendProposal repeats the accepted pre-prepare of a slot, with its body, and returns about how long it is.
func (r *Replica) resendProposal(to wire.ReplicaID, s *slot) int {
	b := s.body(s.digest)
	m := r.statement(s)
	m.Body = b
	r.send(to, m)
	return b.RequestBytes()
}

// resendCheckpoint repeats our newest checkpoint message to a replica whose low watermark is below it.
func (r *Replica) resendCheckpoint(to wire.ReplicaID, m *wire.Status) {
	own := r.checkpoints.own
	if len(own) == 0 {
		return
	}
	newest := own[len(own)-1]
	if newest.seq <= r.log.low || newest.seq <= m.Stable {
		return
	}
	if v := r.checkpoints.at(newest.seq, r.cfg).votes[r.cfg.Self]; v.cast {
		r.send(to, &wire.Checkpoint{Seq: newest.seq, Digest: v.digest, Replica: r.cfg.Self, Sig: v.sig})
	}
}

// push brings a replica that has executed less than this one, and asked us to help, the commit certificates and bodies
// with which it follows (N7).
func (r *Replica) push(to wire.ReplicaID, m *wire.Status) {
	if m.Helper != r.cfg.Self {
		return
	}
	settled := r.mono - r.cfg.ViewTimeout/16
	bytes := 0
	for seq := m.Executed + 1; seq <= min(r.handed, m.Executed+maxPushedSlots) && bytes < maxPushedBytes; seq++ {
		s := r.log.peek(seq)
		if s == nil || s.cert == nil || s.handedAt > settled {
			continue
		}
		if b := s.body(s.cert.Digest); b != nil && r.peers[to].pushes.spend(r.cfg, 1) {
			bytes += b.RequestBytes()
			r.send(to, &wire.CertifiedBody{Seq: seq, Body: b, Cert: s.cert})
		}
	}
}
