package driver

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// The causes of a view change that are not types of messages.
const (
	TimerExpired = "timer"
	Proof        = "evidence"
)

// observer is an Observer, with the function that says whether it has listeners.
type observer struct {
	to    Observer
	heard func() bool // nil: always
}

// observersOf prepares observers for Tell. An observer with a method Heard() bool is told nothing as long as that method
// returns false, so that it then costs almost nothing.
func observersOf(all []Observer) []observer {
	out := make([]observer, len(all))
	for i, o := range all {
		out[i].to = o
		if d, may := o.(interface{ Heard() bool }); may {
			out[i].heard = d.Heard
		}
	}
	return out
}

func (o observer) listens() bool { return o.heard == nil || o.heard() }

// Tell tells an observer of an event that the core was given, and of the effects that the core returned.
func Tell(o Observer, ev port.Event, effects []port.Effect) {
	switch ev := ev.(type) {
	case port.Received:
		if m := ev.Msg.Message(); !ev.From.Loopback {
			o.Received(ev.From, m)
		} else if p, own := m.(*wire.PrePrepare); own {
			prePrepared(o, p)
		}
	case port.Executed:
		if ev.Seq > 0 {
			o.Executed(ev.Seq, len(ev.Replies))
		}
	case port.Snapshotted:
		o.Snapshotted(ev.Seq, ev.Digest)
	case port.Transferred:
		o.Transferred(ev.Cert.Seq)
	case port.Starving:
		o.Starving()
	case port.Damaged:
		o.Damaged()
	case port.Tick, port.BadNewView, port.Stop: // observers hear of their effects
	}
	for _, e := range effects {
		tellEffect(o, ev, e, effects)
	}
}

func tellEffect(o Observer, ev port.Event, effect port.Effect, all []port.Effect) {
	switch e := effect.(type) {
	case port.Persist:
		tellRecord(o, e.Record)
	case port.Note:
		tellRecord(o, e.Record)
	case port.Broadcast:
		tellBroadcast(o, e.Msg, ev, all)
	case port.Execute:
		operations := 0
		for _, r := range e.Body.Requests {
			operations += len(r.Ops)
		}
		o.Executing(e.Seq, len(e.Body.Requests), operations)
	case port.Entered:
		o.Entered(e.View, causeOf(ev, all))
	case port.Transfer:
		o.Transferring(e.Target.Seq)
	case port.Resume:
		o.Resumed(e.Seq)
	case port.Accuse:
		o.Accused(e.Evidence)
	case port.Diverged:
		o.Diverged(e.Own, e.Cert)
	case port.Split:
		o.Split(e.Seq, opinions(e.Votes))
	case port.Forgot:
		o.Forgot(wire.Names(nil).Statement(&e.Said), e.Witness)
	case port.Dropped:
		o.Dropped(e.Msg, e.Why)
	case port.Send, port.Respond, port.Snapshot, port.Truncate, port.Offer: // the ports see it
	}
}

// opinions returns which replicas vote for which digest.
func opinions(votes []wire.Checkpoint) []wire.Digest {
	says := make([]wire.Digest, votes[len(votes)-1].Replica+1)
	for i := range votes {
		says[votes[i].Replica] = votes[i].Digest
	}
	return says
}

func prePrepared(o Observer, p *wire.PrePrepare) {
	requests := 0
	if p.Body != nil {
		requests = len(p.Body.Requests)
	}
	o.PrePrepared(p.View, p.Seq, p.Digest, requests)
}

// tellRecord tells observers what a record shows: the progress of a slot, or a move of the low watermark.
func tellRecord(o Observer, r wire.Record) {
	switch r := r.(type) {
	case *wire.Accepted:
		prePrepared(o, r.PrePrepare)
	case *wire.Prepared:
		o.Prepared(r.Cert.View, r.Cert.Seq, r.Cert.Digest, len(r.Cert.Prepares)+1)
	case *wire.Certified:
		o.Committed(r.Cert.View, r.Cert.Seq, r.Cert.Digest, len(r.Cert.Commits), len(r.Body.Requests))
	case *wire.Committed:
		o.Committed(r.Cert.View, r.Cert.Seq, r.Cert.Digest, len(r.Cert.Commits), 0)
	case *wire.Stable:
		o.Stable(r.Cert.Seq, r.Cert.Digest)
	default: // no progress
	}
}

func tellBroadcast(o Observer, m wire.Message, ev port.Event, all []port.Effect) {
	switch m := m.(type) {
	case *wire.PrePrepare:
		o.Proposing(m.Seq)
	case *wire.Suspect:
		o.Suspected(m.View, causeOf(ev, all))
	case *wire.ViewChange:
		suspects := make([]wire.ReplicaID, len(m.Suspects))
		for i := range m.Suspects {
			suspects[i] = m.Suspects[i].Replica
		}
		o.AskedFor(m.View, suspects, causeOf(ev, all))
	default: // a vote: its certificate is told
	}
}

// causeOf returns the cause of the effects that an event had.
func causeOf(ev port.Event, effects []port.Effect) string {
	if slices.ContainsFunc(effects, func(e port.Effect) bool { _, is := e.(port.Accuse); return is }) {
		return Proof
	}
	if r, ok := ev.(port.Received); ok {
		return wire.TypeOf(r.Msg.Message()).String()
	}
	return TimerExpired
}
