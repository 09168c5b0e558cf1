package pbft

import (
	"cmp"
	"slices"

	"tagma/pbft/wire"
)

// Anchor returns the records that a journal segment begins with (D9): who and in which view this replica is, and
// everything above the low watermark. Replayed alone they restore all of its votes that still matter.
func (r *Replica) Anchor() []wire.Record {
	out := []wire.Record{&wire.Head{
		Cluster: r.cfg.Cluster, Epoch: r.cfg.Epoch, Self: r.cfg.Self, View: r.view, Active: r.active, Life: r.life,
	}}
	if rec := &r.recovery; rec.view > 0 {
		out = append(out, &wire.Recovering{Life: rec.life, Until: rec.until, View: rec.view, Suspects: rec.suspects})
	}
	if r.checkpoints.stable.Seq > 0 {
		out = append(out, &wire.Stable{Cert: r.checkpoints.stable})
	}
	if own := r.change.votes[r.cfg.Self]; !r.active && own != nil {
		out = append(out, &wire.Sent{Msg: own})
	}
	if r.origin != nil {
		out = append(out, &wire.Activated{NewView: r.origin})
	}
	for _, m := range r.checkpoints.own {
		if m.seq > r.log.low {
			if v := r.checkpoints.at(m.seq, r.cfg).votes[r.cfg.Self]; v.cast {
				out = append(out, &wire.Sent{Msg: &wire.Checkpoint{Seq: m.seq, Digest: v.digest, Replica: r.cfg.Self, Sig: v.sig}})
			}
		}
	}
	out = r.anchorMemories(out)
	for seq := r.log.low + 1; seq <= r.log.seen; seq++ {
		if s := r.log.peek(seq); s != nil {
			out = r.anchorSlot(out, s)
		}
	}
	return out
}

// anchorSlot appends what this replica has accepted, voted and seen committed for one sequence number.
func (r *Replica) anchorSlot(out []wire.Record, s *slot) []wire.Record {
	for _, b := range s.bodies {
		if !s.accepted || b.Digest() != s.digest { // that one stands in the pre-prepare
			out = append(out, &wire.Fetched{Seq: s.seq, Body: b})
		}
	}
	if b := s.body(s.digest); s.accepted && b != nil {
		pp := r.statement(s)
		pp.Body = b
		if r.isPrimary() && r.mayVote(r.view) { // else it was signed in a life before this one, and came from others
			out = append(out, &wire.Sent{Msg: pp})
		} else {
			out = append(out, &wire.Accepted{PrePrepare: pp})
		}
	}
	if own := s.prepares[r.cfg.Self]; own.cast {
		out = append(out, &wire.Sent{Msg: &wire.Prepare{View: own.view, Seq: s.seq, Digest: own.digest, Replica: r.cfg.Self, Sig: own.sig}})
	}
	if s.prepared != nil {
		out = append(out, &wire.Prepared{Cert: *s.prepared})
	}
	if own := s.commits[r.cfg.Self]; own.cast {
		out = append(out, &wire.Sent{Msg: &wire.Commit{View: own.view, Seq: s.seq, Digest: own.digest, Replica: r.cfg.Self, Sig: own.sig}})
	}
	if s.cert != nil && s.journalled {
		out = append(out, &wire.Committed{Cert: *s.cert})
	}
	return out
}

// LastStable is the highest stable checkpoint that a journal tells of; 0 if none is.
func LastStable(log []wire.Record) (last wire.Seq) {
	for _, rec := range log {
		switch rec := rec.(type) {
		case *wire.Stable:
			last = max(last, rec.Cert.Seq)
		case *wire.Installed:
			last = max(last, rec.Cert.Seq)
		case *wire.Activated:
			last = max(last, highestStable(rec.NewView).Seq)
		case *wire.Sent:
			if m, ok := rec.Msg.(*wire.NewView); ok {
				last = max(last, highestStable(m).Seq)
			}
		default: // it names none
		}
	}
	return last
}

// Mark is an own checkpoint that the journal tells of.
type Mark struct {
	Seq    wire.Seq
	Digest wire.Digest
}

// Marks lists this replica's own checkpoints and the state that it was given last, newest first: the states to look for
// in the store at a start (D5). What lies before a state that was given is void (X6). The initial state, with sequence
// number 0 and no digest, is listed last.
func Marks(log []wire.Record) []Mark {
	marks := []Mark{{}}
	for _, rec := range log {
		switch rec := rec.(type) {
		case *wire.Installed:
			marks = append(marks[:1], Mark{rec.Cert.Seq, rec.Cert.Digest})
		case *wire.Sent:
			if m, ok := rec.Msg.(*wire.Checkpoint); ok {
				marks = append(marks, Mark{m.Seq, m.Digest})
			}
		default: // it names no state
		}
	}
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Compare(b.Seq, a.Seq) })
	return slices.Compact(marks)
}
