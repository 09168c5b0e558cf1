package driver

import (
	"fmt"

	"tagma/pbft/wire"
)

// ledger remembers, across restarts, every vote that any replica has sent, and every batch that one has executed.
type ledger struct {
	votes    map[string]wire.Signature // by replica, type, view and sequence number
	left     map[wire.ReplicaID]wire.View
	executes map[wire.Seq]wire.Digest
	again    int // votes shown a second time
}

func newLedger() ledger {
	return ledger{
		votes: map[string]wire.Signature{}, left: map[wire.ReplicaID]wire.View{}, executes: map[wire.Seq]wire.Digest{},
	}
}

// vote is a signed statement that must never be contradicted.
type vote struct {
	by   wire.ReplicaID
	kind wire.Type
	view wire.View
	seq  wire.Seq
	sig  wire.Signature
}

func (v vote) name() string {
	return fmt.Sprintf("replica %d: %s for view %d, sequence number %d", v.by, v.kind, v.view, v.seq)
}

// votesIn lists the sender's own votes in a message.
func votesIn(cfg *wire.Config, m wire.Message) []vote {
	switch m := m.(type) {
	case *wire.PrePrepare:
		return []vote{{cfg.Primary(m.View), wire.TypePrePrepare, m.View, m.Seq, m.Sig}}
	case *wire.Prepare:
		return []vote{{m.Replica, wire.TypePrepare, m.View, m.Seq, m.Sig}}
	case *wire.Commit:
		return []vote{{m.Replica, wire.TypeCommit, m.View, m.Seq, m.Sig}}
	case *wire.Checkpoint:
		return []vote{{m.Replica, wire.TypeCheckpoint, 0, m.Seq, m.Sig}}
	case *wire.ViewChange:
		return []vote{{m.Replica, wire.TypeViewChange, m.View, 0, m.Sig}}
	case *wire.NewView:
		primary, low := cfg.Primary(m.View), wire.Seq(0)
		for i := range m.ViewChanges {
			low = max(low, m.ViewChanges[i].Stable.Seq)
		}
		all := []vote{{primary, wire.TypeNewView, m.View, 0, m.Sig}}
		for i, o := range m.Proposals {
			all = append(all, vote{primary, wire.TypePrePrepare, m.View, low + 1 + wire.Seq(i), o.Sig})
		}
		return all
	}
	return nil
}

// sent checks a message that leaves a replica. The sender's own votes in it must be durable (D0), must contradict no
// vote that the sender ever sent, and must be in no view that it has left (D3, D7). Signatures are a function of the
// bytes, so equal signatures mean equal votes.
func (l *ledger) sent(p *process, m wire.Message) {
	for _, v := range votesIn(p.cfg, m) {
		if v.by != p.cfg.Self {
			continue
		}
		before, again := l.votes[v.name()]
		switch {
		case again && before != v.sig:
			p.lab.t.Fatalf("D7: a second %s", v.name())
		case again:
			l.again++
			continue
		case !p.tape.holdsVote(p.cfg, v):
			p.lab.t.Fatalf("D0: sent before it is durable: %s", v.name())
		case v.kind != wire.TypeCheckpoint && v.view < l.left[v.by]:
			p.lab.t.Fatalf("D3: after a view change to %d, %s", l.left[v.by], v.name())
		}
		l.votes[v.name()] = v.sig
		if v.kind == wire.TypeViewChange {
			l.left[v.by] = max(l.left[v.by], v.view)
		}
	}
}

// executed checks a batch that is handed to execution: the journal must be able to execute it again (D0), and no replica
// may execute another batch at its sequence number (I1).
func (l *ledger) executed(p *process, seq wire.Seq, digest wire.Digest) {
	if before, again := l.executes[seq]; again && before != digest {
		p.lab.t.Fatalf("I1: replica %d executes another batch at %d", p.cfg.Self, seq)
	}
	l.executes[seq] = digest
	for _, r := range p.tape.read(0) {
		switch r := r.(type) {
		case *wire.Prepared:
			if r.Cert.Seq == seq && r.Cert.Digest == digest {
				return
			}
		case *wire.Certified:
			if r.Cert.Seq == seq && r.Cert.Digest == digest {
				return
			}
		}
	}
	p.lab.t.Fatalf("D0: replica %d executes %d without a durable certificate", p.cfg.Self, seq)
}

// holdsVote reports whether the replica's journal contains a vote.
func (tp *tape) holdsVote(cfg *wire.Config, v vote) bool {
	for _, r := range tp.read(0) {
		var m wire.Message
		switch r := r.(type) {
		case *wire.Sent:
			m = r.Msg
		case *wire.Activated: // how an anchor holds our own NewView
			m = r.NewView
		}
		for _, held := range votesIn(cfg, m) {
			if held == v {
				return true
			}
		}
	}
	return false
}
