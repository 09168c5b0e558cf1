package pbft

import (
	"slices"
	"time"

	"tagma/pbft/budget"
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Retransmission by status: every replica says from time to time what it has and lacks, and the others send it what it
// lacks. Apart from Suspects (V7), nothing is sent again unless a status shows that it is missing.

// Bounds of what is sent in answer to one status.
const (
	maxPushedSlots = 256
	maxPushedBytes = 4 << 20
)

// peer is what this replica knows of another one.
type peer struct {
	status     *wire.Status
	heardAt    time.Duration
	answeredAt time.Duration
	help       budget.Budget

	asked   bool          // the peer has asked what this replica holds of its statements
	askedAt time.Duration // when it last asked that
	wish    msglog.Wish
}

// reportStatus broadcasts a Status each quarter of a timeout, and twice as often while something is missing.
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
	r.emit(port.Broadcast{Msg: m})
}

// newStatus returns a status with what this replica has and lacks. It names one replica as the helper, each time another
// one, and only the helper sends what is large. So large messages are not sent by several replicas, and a faulty helper
// delays this replica by only one period.
func (r *Replica) newStatus() *wire.Status {
	r.helper = wire.ReplicaID((int(r.helper) + 1) % r.cfg.N())
	if r.helper == r.cfg.Self {
		r.helper = wire.ReplicaID((int(r.helper) + 1) % r.cfg.N())
	}
	m := &wire.Status{
		View: r.view, Active: r.active, Executed: r.handed, Stable: r.log.Low, Wall: r.wall, Helper: r.helper,
	}
	if !r.active {
		m.ViewChanges = r.viewChangesHeld()
	}
	last := r.reach()
	last = max(last, min(r.log.Seen, r.log.High(), last+nearby))
	for seq := r.firstMissing(); seq <= last && len(m.Slots) < int(2*r.cfg.LogWindow); seq++ {
		if lacks := r.log.Peek(seq).Lacks(r.view); lacks != 0 {
			m.Slots = append(m.Slots, wire.SlotStatus{Seq: seq, Lacks: lacks})
		}
	}
	return m
}

// behind reports whether other replicas have executed more than this one, which can still follow them.
func (r *Replica) behind() bool {
	return !r.leftBehind() && (r.log.Low > r.handed || r.executedElsewhere() > r.handed)
}

// executedElsewhere is the highest sequence number that f+1 other replicas claim to have executed, so that a correct one
// has. A single claim proves nothing: a liar's would make every replica ask without end for batches that do not exist (S4).
func (r *Replica) executedElsewhere() wire.Seq {
	claims := make([]wire.Seq, 0, len(r.peers))
	for i := range r.peers {
		if s := r.peers[i].status; s != nil {
			claims = append(claims, s.Executed)
		}
	}
	if len(claims) < r.cfg.Weak() {
		return 0
	}
	slices.Sort(claims)
	return claims[len(claims)-r.cfg.Weak()]
}

// fetchMissing asks one replica for the bodies that a certificate or a new view vouches for. If that replica does not
// have them, the next call asks another one.
func (r *Replica) fetchMissing(from wire.ReplicaID) {
	asked := 0
	for seq := r.firstMissing(); seq <= r.log.Seen && asked < maxPushedSlots; seq++ {
		s := r.log.Peek(seq)
		if s == nil {
			continue
		}
		for _, d := range s.Vouched() {
			if s.Body(d) == nil {
				asked++
				r.send(from, &wire.Fetch{Seq: seq, Digest: d})
			}
		}
	}
}

// onStatus sends the author of a status what it lacks and this replica has.
func (r *Replica) onStatus(m *wire.Status, from port.Source) {
	if from.Loopback {
		return
	}
	to := from.Replica
	p := &r.peers[to]
	often := p.status != nil && r.mono-p.answeredAt < r.cfg.ViewTimeout/16
	p.status, p.heardAt = m, r.mono
	if often { // an answer is long, and a correct replica asks at most half as often
		r.drop(m, port.ReasonTooOften)
		return
	}
	p.answeredAt = r.mono
	r.grant(p)
	r.learnOf(m, to)
	if m.Stable < r.log.Low {
		r.help(to, &wire.StableNotice{Cert: r.checkpoints.Stable})
	}
	r.helpIntoView(to, m)
	r.resendVotes(to, m)
	r.resendCheckpoint(to, m)
	r.push(to, m)
}

// helpIntoView sends a replica that is in a lower view, or waits for this one to become active, what moves it on (V5).
func (r *Replica) helpIntoView(to wire.ReplicaID, m *wire.Status) {
	waits := m.View == r.view && !m.Active
	if m.View > r.view || m.View == r.view && !waits {
		return
	}
	if r.active {
		if r.origin != nil && (r.isPrimary() || m.Helper == r.cfg.Self) {
			r.help(to, r.origin)
		}
		return
	}
	own := r.change.votes[r.cfg.Self]
	if own == nil || own.View != r.view || waits && slices.Contains(m.ViewChanges, r.cfg.Self) {
		return
	}
	r.help(to, own)
}

// resendVotes repeats our own messages for each slot for which the status's author lacks something. Messages that were
// sent only a moment ago are left out, because they are probably still on their way.
func (r *Replica) resendVotes(to wire.ReplicaID, m *wire.Status) {
	settled := r.mono - r.cfg.ViewTimeout/16
	bytes := 0
	for _, lack := range m.Slots {
		s := r.log.Peek(lack.Seq)
		if s == nil {
			continue
		}
		prepare, commit := &s.Prepares[r.cfg.Self], &s.Commits[r.cfg.Self]
		voted := s.VotedAt <= settled
		proposes := lack.Lacks&wire.LacksProposal != 0 && r.mayResendProposal(m, s) && s.AcceptedAt <= settled && bytes < maxPushedBytes
		prepares := lack.Lacks&wire.LacksPrepares != 0 && voted && prepare.Cast && prepare.View == m.View
		commits := lack.Lacks&wire.LacksCommits != 0 && voted && commit.Cast
		if proposes && r.help(to, r.proposalOf(s)) {
			bytes += s.Body(s.Digest).RequestBytes()
		}
		if prepares {
			r.help(to, &wire.Prepare{View: prepare.View, Seq: s.Seq, Digest: prepare.Digest, Replica: r.cfg.Self, Sig: prepare.Sig})
		}
		if commits {
			r.help(to, &wire.Commit{View: commit.View, Seq: s.Seq, Digest: commit.Digest, Replica: r.cfg.Self, Sig: commit.Sig})
		}
	}
}

// mayResendProposal reports whether this replica holds the proposal that the status's author lacks, and is one of the
// two that send what is large: the primary or the helper.
func (r *Replica) mayResendProposal(m *wire.Status, s *msglog.Slot) bool {
	ours := r.isPrimary() || m.Helper == r.cfg.Self
	return ours && m.View == r.view && m.Active && r.active && s.Accepted && s.Body(s.Digest) != nil
}

// proposalOf is the accepted pre-prepare of a slot with its body.
func (r *Replica) proposalOf(s *msglog.Slot) *wire.PrePrepare {
	m := r.statement(s)
	m.Body = s.Body(s.Digest)
	return m
}

// resendCheckpoint repeats our newest checkpoint message to a replica whose low watermark lies below it.
func (r *Replica) resendCheckpoint(to wire.ReplicaID, m *wire.Status) {
	own := r.checkpoints.Own
	if len(own) == 0 {
		return
	}
	newest := own[len(own)-1]
	if newest.Seq <= r.log.Low || newest.Seq <= m.Stable {
		return
	}
	if v := r.checkpoints.At(newest.Seq, r.cfg).Votes[r.cfg.Self]; v.Cast {
		r.help(to, &wire.Checkpoint{Seq: newest.Seq, Digest: v.Digest, Replica: r.cfg.Self, Sig: v.Sig})
	}
}

// push sends commit certificates and bodies to a replica that has executed less and named this one its helper; it
// follows with them (N7).
func (r *Replica) push(to wire.ReplicaID, m *wire.Status) {
	if m.Helper != r.cfg.Self {
		return
	}
	settled := r.mono - r.cfg.ViewTimeout/16
	bytes := 0
	for seq := m.Executed + 1; seq <= min(r.handed, m.Executed+maxPushedSlots) && bytes < maxPushedBytes; seq++ {
		s := r.log.Peek(seq)
		if s == nil || s.Cert == nil || s.HandedAt > settled {
			continue
		}
		if b := s.Body(s.Cert.Digest); b != nil && r.help(to, &wire.CertifiedBody{Seq: seq, Body: b, Cert: s.Cert}) {
			bytes += b.RequestBytes()
		}
	}
}

// grant adds to a peer's budget for help what has accrued since the last time (S4).
func (r *Replica) grant(p *peer) {
	p.help.Help(r.mono, r.cfg.ViewTimeout, r.pool.Total, r.log.Bytes)
}

// help sends a peer what it asked for, if its budget is not used up.
func (r *Replica) help(to wire.ReplicaID, m wire.Message) bool {
	b := &r.peers[to].help
	if !b.Left() {
		return false
	}
	b.Spend(wire.SizeHint(m))
	r.send(to, m)
	return true
}

// nearby bounds how far above the known slots a status lists a slot that only one replica has named. Such a slot is
// listed because that replica's vote may only be the first to arrive. Also, if the proposal that is then sent has
// another digest than the vote, this shows that the primary lied.
const nearby = 32

// reach is the highest sequence number for which a correct replica holds something in this view; a Status lists what is
// missing up to there. It may be lower than the log's Seen, which a single message of a faulty replica can raise. A Seen
// that is too high makes a replica look at empty slots, which costs little. But if these slots were listed, every status
// would be longer by the whole window (S4).
func (r *Replica) reach() wire.Seq {
	r.known = max(r.known, r.handed, r.log.Low)
	for seq := min(r.log.Seen, r.log.High()); seq > r.known; seq-- {
		if s := r.log.Peek(seq); s != nil && s.IsKnown(r.view, r.active, r.cfg.Weak()) {
			r.known = seq
		}
	}
	return r.known
}

// firstMissing is the lowest sequence number that is not executed and still of use. A replica that was left behind can
// execute nothing and needs only what it votes for, above h; everything below comes by state transfer.
func (r *Replica) firstMissing() wire.Seq {
	if r.leftBehind() {
		return r.log.Low + 1
	}
	return r.handed + 1
}

// learnOf takes from the primary's status how far it has proposed. If a pre-prepare was lost on the way to every backup,
// nothing else shows that it exists, and a backup asks only for what it knows of. One status raises known by at most the
// number of slots that it lists.
func (r *Replica) learnOf(m *wire.Status, from wire.ReplicaID) {
	if len(m.Slots) == 0 || m.View != r.view || from != r.cfg.Primary(r.view) {
		return
	}
	r.reach()
	for _, lack := range m.Slots {
		if lack.Seq > r.known && r.known < r.log.High() {
			r.known++
		}
	}
}
