package trace

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Tap makes the events of one replica and gives them to a listener.
type Tap struct {
	replica int
	quorum  int
	now     func() int64 // microseconds
	hear    func(Event)
}

// NewTap returns a tap of a replica, or of None. Hear is called by whoever tells the tap something; with a node these are
// several goroutines.
func NewTap(replica, quorum int, now func() int64, hear func(Event)) *Tap {
	return &Tap{replica: replica, quorum: quorum, now: now, hear: hear}
}

// Emit stamps an event and passes it on. A nil tap drops it.
func (t *Tap) Emit(e Event) {
	if t == nil {
		return
	}
	*e.stamp() = Stamp{At: t.now(), Replica: t.replica, Event: e.Kind()}
	t.hear(e)
}

// Now is the time of the tap, in microseconds.
func (t *Tap) Now() int64 { return t.now() }

// Stepped takes an event that the core was given, and the effects that it returned, before any of them is performed.
func (t *Tap) Stepped(ev port.Event, effects []port.Effect) {
	switch ev := ev.(type) {
	case port.Received:
		t.received(ev)
	case port.Executed:
		if ev.Seq > 0 {
			t.Emit(&Executed{Seq: ev.Seq, Requests: len(ev.Replies)})
		}
	case port.Snapshotted:
		t.Emit(&Checkpoint{Step: Taken, Seq: ev.Seq, Digest: Digest(ev.Digest)})
	case port.Transferred:
		t.Emit(&Transfer{Step: Installed, Seq: ev.Cert.Seq})
	case port.Starving:
		t.Emit(&Transfer{Step: Starving})
	case port.Damaged:
		t.Emit(&Transfer{Step: Damaged})
	case port.Tick, port.BadNewView, port.Stop: // what it brings about is told
	}
	for _, e := range effects {
		t.effect(ev, e, effects)
	}
}

func (t *Tap) received(ev port.Received) {
	m := ev.Msg.Message()
	if !ev.From.Loopback {
		from := int(ev.From.Replica)
		if ev.From.Client {
			from = None
		}
		t.Emit(&Received{From: from, Message: Say(m)})
	} else if p, own := m.(*wire.PrePrepare); own {
		t.prePrepared(p)
	}
}

func (t *Tap) prePrepared(p *wire.PrePrepare) {
	e := &Phase{Phase: PrePrepared, View: p.View, Seq: p.Seq, Digest: Digest(p.Digest), Votes: 1, Quorum: t.quorum}
	if p.Body != nil {
		e.Requests = len(p.Body.Requests)
	}
	t.Emit(e)
}

// effect takes one of the effects that came of an event.
func (t *Tap) effect(ev port.Event, effect port.Effect, all []port.Effect) {
	switch e := effect.(type) {
	case port.Persist:
		t.record(e.Record)
	case port.Note:
		t.record(e.Record)
	case port.Broadcast:
		t.asked(e.Msg, ev, all)
	case port.Entered:
		t.Emit(&View{Step: Entered, View: e.View, Cause: causeOf(ev, all)})
	case port.Transfer:
		t.Emit(&Transfer{Step: Begun, Seq: e.Target.Seq})
	case port.Resume:
		t.Emit(&Transfer{Step: Resumed, Seq: e.Seq})
	case port.Accuse:
		t.Emit(&Evidence{
			Against: int(e.Evidence.Replica), Proves: e.Evidence.Kind, First: Say(e.Evidence.First), Second: Say(e.Evidence.Second),
		})
	case port.Diverged:
		t.Emit(&Diverged{Seq: e.Cert.Seq, Own: Digest(e.Own), Stable: Digest(e.Cert.Digest)})
	case port.Split:
		split := &Split{Seq: e.Seq}
		for i := range e.Votes {
			split.Votes = append(split.Votes, Opinion{int(e.Votes[i].Replica), Digest(e.Votes[i].Digest)})
		}
		t.Emit(split)
	case port.Forgot:
		t.Emit(&Forgot{Said: wire.Names(nil).Statement(&e.Said), Witness: int(e.Witness)})
	case port.Dropped:
		t.Emit(&Dropped{Message: Say(e.Msg), Why: e.Why})
	default: // shows elsewhere: in what is sent, or in the end of an execution
	}
}

// record takes what a replica wants written: it shows how far a slot is, and where the low watermark.
func (t *Tap) record(r wire.Record) {
	switch r := r.(type) {
	case *wire.Accepted:
		t.prePrepared(r.PrePrepare)
	case *wire.Prepared:
		c := &r.Cert
		t.Emit(&Phase{
			Phase: Prepared, View: c.View, Seq: c.Seq, Digest: Digest(c.Digest), Votes: len(c.Prepares) + 1, Quorum: t.quorum,
		})
	case *wire.Certified:
		t.committed(&r.Cert, len(r.Body.Requests))
	case *wire.Committed:
		t.committed(&r.Cert, 0)
	case *wire.Stable:
		t.Emit(&Checkpoint{Step: Stable, Seq: r.Cert.Seq, Digest: Digest(r.Cert.Digest)})
	default: // no progress
	}
}

func (t *Tap) committed(c *wire.CommitCert, requests int) {
	t.Emit(&Phase{
		Phase: Committed, View: c.View, Seq: c.Seq, Digest: Digest(c.Digest), Requests: requests, Votes: len(c.Commits), Quorum: t.quorum,
	})
}

// asked takes a message that begins a view change.
func (t *Tap) asked(m wire.Message, ev port.Event, all []port.Effect) {
	switch m := m.(type) {
	case *wire.Suspect:
		t.Emit(&View{Step: Suspected, View: m.View, Cause: causeOf(ev, all)})
	case *wire.ViewChange:
		e := &View{Step: AskedFor, View: m.View, Cause: causeOf(ev, all)}
		for i := range m.Suspects {
			e.Suspects = append(e.Suspects, int(m.Suspects[i].Replica))
		}
		t.Emit(e)
	default: // begins none
	}
}

// causeOf is what brought effects about.
func causeOf(ev port.Event, effects []port.Effect) string {
	for _, e := range effects {
		if _, proof := e.(port.Accuse); proof {
			return Accusation
		}
	}
	if r, ok := ev.(port.Received); ok {
		return wire.TypeOf(r.Msg.Message()).String()
	}
	return Timer
}
