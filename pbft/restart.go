package pbft

import (
	"fmt"
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/follow"
	"tagma/pbft/msglog"
	"tagma/pbft/pool"
	"tagma/pbft/wire"
)

// Applied is the state that the store was verified to hold at this start (D5).
type Applied struct {
	Seq  wire.Seq
	Root wire.Digest
}

// New returns a replica that continues from its journal, oldest record first, and from a verified state. It does not
// ask the others what it may have forgotten. With an empty journal it begins in view 0 at the initial state, or at the
// cluster's origin.
func New(cfg *wire.Config, log []wire.Record, at Applied) (*Replica, error) {
	return Boot(cfg, log, at, Start{})
}

// Boot returns a replica as New does, which first asks the others what it may have forgotten (D8.4). If the journal
// does not lead on from the stored state, it fetches the state from others (X1).
func Boot(cfg *wire.Config, log []wire.Record, at Applied, start Start) (*Replica, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r := &Replica{
		cfg:         cfg,
		active:      true,
		log:         msglog.NewWindow(cfg),
		checkpoints: msglog.NewCheckpoints(cfg),
		pool:        pool.New(cfg.N(), cfg.ViewTimeout),
		suspicion:   suspicion{highest: make(msglog.Suspects, cfg.N()), until: make([]time.Duration, cfg.N())},
		change:      change{votes: make([]*wire.ViewChange, cfg.N())},
		peers:       make([]peer, cfg.N()),
		helper:      cfg.Self,
		handed:      at.Seq, // batches above at.Seq are executed again, so the replay must not drop their bodies
		executed:    at.Seq,
		life:        start.Life,
		inquiry:     amnesia.NewInquiry(cfg, start.Nonce, start.First),
		follow:      follow.New(cfg),
		memories:    make(msglog.Memories, cfg.N()),
	}
	for i, rec := range append(wire.Beginning(cfg), log...) {
		if err := r.replay(rec); err != nil {
			return nil, fmt.Errorf("journal record %d: %w", i, err)
		}
	}
	unfinished := r.change.votes[cfg.Self]
	if r.active {
		unfinished = nil
	}
	if err := wire.Unfit(cfg, log, r.log.Low, unfinished); err != nil {
		return nil, err
	}
	r.recovery.unsaid = wire.Log(log).Unsaid(cfg)
	r.recovery.early = r.recovery.unsaid > 0
	r.handed, r.executed = at.Seq, at.Seq
	r.doubted = r.doubted || start.Doubt
	r.transfer.on = r.doubted || start.Fetch && r.log.Low > at.Seq
	if floor := r.log.Floor(); at.Seq < floor && !r.transfer.on {
		var whole bool
		if r.backlog, whole = wire.Log(log).Backlog(at.Seq, floor); !whole {
			r.transfer.on = true
		}
	}
	r.proposed = max(r.proposed, r.log.Low, at.Seq)
	r.checkpoints.Durable = at.Seq
	r.checkpoints.Base = min(at.Seq, r.log.Low)
	r.change.progressView = r.view
	r.out = nil
	return r, nil
}

// replay repeats the state change of a record. It returns no effects.
func (r *Replica) replay(rec wire.Record) error {
	switch rec := rec.(type) {
	case *wire.Head:
		if rec.Cluster != r.cfg.Cluster || rec.Self != r.cfg.Self || rec.Epoch != r.cfg.Epoch {
			return wire.ErrForeignJournal
		}
		if rec.View > r.view {
			r.leave(rec.View)
		}
	case *wire.Sent:
		return r.replaySent(rec.Msg)
	case *wire.Accepted:
		r.replayPrePrepare(rec.PrePrepare)
	case *wire.Fetched:
		if r.log.Holds(rec.Seq) {
			r.log.At(rec.Seq).Keep(rec.Body)
		}
	case *wire.Prepared:
		r.replayPrepared(rec.Cert)
	case *wire.Certified:
		if r.log.Holds(rec.Cert.Seq) {
			s := r.log.At(rec.Cert.Seq)
			s.Cert, s.Journalled = &rec.Cert, true
			s.Keep(rec.Body)
		}
	case *wire.Committed:
		if r.log.Holds(rec.Cert.Seq) {
			s := r.log.At(rec.Cert.Seq)
			s.Cert, s.Journalled = &rec.Cert, true
		}
	case *wire.Stable:
		r.adoptStable(rec.Cert)
		r.replayDivergence(false) // a later checkpoint may be stable for which this replica has no state
	case *wire.Activated:
		r.replayNewView(rec.NewView)
	case *wire.Recovering:
		r.recovery = recovery{until: rec.Until, view: rec.View, suspects: rec.Suspects, life: rec.Life}
	case *wire.Early, *wire.Clean: // New reads these from the journal as a whole
	case *wire.Installed:
		r.install(rec.Cert)
	case *wire.Void:
		r.checkpoints.GiveUp(r.log.Low, rec.Until)
		r.replayDivergence(rec.Wrong)
	case *wire.Witness:
		if int(rec.Replica) < r.cfg.N() {
			r.memories.Note(rec.Replica, rec.Said)
			r.replayVote(rec.Replica, &rec.Said)
		}
	}
	return nil
}

// replaySent restores one of our own messages: we may not contradict it, and send the same bytes again (D7).
func (r *Replica) replaySent(m wire.Message) error {
	self := r.cfg.Self
	switch m := m.(type) {
	case *wire.PrePrepare:
		r.replayPrePrepare(m)
		r.proposed = max(r.proposed, m.Seq)
	case *wire.Prepare:
		if r.log.Holds(m.Seq) {
			s := r.log.At(m.Seq)
			msglog.Store(s.Prepares, self, msglog.Vote{Cast: true, View: m.View, Digest: m.Digest, Sig: m.Sig})
			s.PrepareSent = s.PrepareSent || m.View == r.view
		}
	case *wire.Commit:
		if r.log.Holds(m.Seq) {
			s := r.log.At(m.Seq)
			msglog.Store(s.Commits, self, msglog.Vote{Cast: true, View: m.View, Digest: m.Digest, Sig: m.Sig})
			s.CommitSent = s.CommitSent || m.View == r.view
		}
	case *wire.Checkpoint:
		r.checkpoints.Remember(wire.Mark{Seq: m.Seq, Digest: m.Digest}, 0)
		r.replayDivergence(false)
		r.replayVote(self, &wire.Statement{Type: wire.TypeCheckpoint, Seq: m.Seq, Digest: m.Digest, Sig: m.Sig})
	case *wire.ViewChange:
		if m.View > r.view {
			r.leave(m.View)
		}
		if held := r.change.votes[self]; held == nil || held.View <= m.View {
			r.change.votes[self] = m
		}
		r.change.sent = r.change.sent || m.View == r.view
	case *wire.NewView:
		r.replayNewView(m)
	default:
		return fmt.Errorf("a %s is never journalled as sent", wire.TypeOf(m))
	}
	return nil
}

// replayDivergence restores whether this replica knows that its own state is wrong (K2).
func (r *Replica) replayDivergence(wrong bool) {
	r.diverged = r.diverged || wrong || r.contradicted()
	r.doubted = r.doubted || r.diverged
}

// replayVote restores a replica's checkpoint vote above h.
func (r *Replica) replayVote(by wire.ReplicaID, s *wire.Statement) {
	if s.Type == wire.TypeCheckpoint && r.whyOutside(s.Seq) == "" {
		msglog.Store(r.checkpoints.At(s.Seq, r.cfg).Votes, by, msglog.Vote{Cast: true, Digest: s.Digest, Sig: s.Sig})
	}
}

// replayPrePrepare restores an accepted pre-prepare. Records of slots at or below h are ignored, this one too (K3).
func (r *Replica) replayPrePrepare(m *wire.PrePrepare) {
	if !r.log.Holds(m.Seq) {
		return
	}
	s := r.log.At(m.Seq)
	s.Keep(m.Body)
	if m.View == r.view && r.active {
		s.Accept(m.View, m.Digest, m.Sig)
	}
}

func (r *Replica) replayPrepared(cert wire.PreparedCert) {
	if !r.log.Holds(cert.Seq) {
		return
	}
	if s := r.log.At(cert.Seq); s.Prepared == nil || s.Prepared.View <= cert.View {
		s.Prepared = &cert
	}
}

// replayNewView enters the view again, unless a record replayed before has entered it already.
func (r *Replica) replayNewView(m *wire.NewView) {
	if m.View > r.view || m.View == r.view && !r.active {
		r.activate(m)
	}
}
