package byzantine

import "tagma/pbft"

// voice lets an honest core be heard through a tongue. The core believes that everything was said as it wanted: its
// broadcasts come back to it, and its votes are in the journal, so that it goes on, and comes back after a crash, like a
// replica that was honest.
type voice struct {
	seat
	tongue tongue
	awake  bool // it lies now
}

// tongue says something else than the core wanted, or nothing, or later. The first two methods are called all the time,
// and told whether it is the attacker's time; the others only then.
type tongue interface {
	// before is called with every event, after hear, and returns what is to be said in front of all else.
	before(ev pbft.Event, awake bool) []pbft.Effect
	// hear returns what the core is given in place of an event.
	hear(ev pbft.Event, awake bool) []pbft.Event
	// speak returns what the core is made to broadcast in place of a message. It believes to have said that.
	speak(m pbft.Message) []pbft.Message
	// twists reports whether it has something of its own to say in place of a message to replicas. It is asked once a
	// broadcast, and once for what one replica alone is sent.
	twists(m pbft.Message) bool
	// tell returns what a replica is told in place of a message that it twists, and that is signed.
	tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect
	// answer returns what a client is told in place of a reply.
	answer(r *pbft.Reply) []pbft.Effect
}

// honest is a tongue that changes nothing. Others embed it and change some of it.
type honest struct{}

func (honest) before(pbft.Event, bool) []pbft.Effect   { return nil }
func (honest) hear(ev pbft.Event, _ bool) []pbft.Event { return []pbft.Event{ev} }
func (honest) speak(m pbft.Message) []pbft.Message     { return []pbft.Message{m} }
func (honest) twists(pbft.Message) bool                { return false }
func (honest) answer(r *pbft.Reply) []pbft.Effect      { return []pbft.Effect{pbft.Respond{Reply: r}} }

func (honest) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	return []pbft.Effect{pbft.Send{To: to, Msg: m}}
}

// Anchor is the core's: what others were told instead is in no journal.
func (v *voice) Anchor() []pbft.Record { return v.core.Anchor() }

// Step is the core's, with the tongue's words in the place of its own.
func (v *voice) Step(ev pbft.Event) []pbft.Effect {
	v.awake = v.lies(ev, v.awake)
	todo := v.tongue.hear(ev, v.awake)
	out := v.tongue.before(ev, v.awake)
	for len(todo) > 0 {
		ev, todo = todo[0], todo[1:]
		for _, effect := range v.core.Step(ev) {
			if !v.awake {
				out = append(out, effect)
				continue
			}
			var back []pbft.Event
			out, back = v.utter(out, effect)
			todo = append(todo, back...)
		}
	}
	return out
}

// utter appends what becomes of one effect of the core, and returns what comes back to the core at once.
func (v *voice) utter(out []pbft.Effect, effect pbft.Effect) ([]pbft.Effect, []pbft.Event) {
	var back []pbft.Event
	switch e := effect.(type) {
	case pbft.Broadcast:
		for _, m := range v.tongue.speak(e.Msg) {
			if v.tongue.twists(m) {
				out = append(out, v.spread(m)...)
				back = append(back, v.loopback(m))
			} else {
				out = append(out, pbft.Broadcast{Msg: m})
			}
		}
	case pbft.Send:
		if v.tongue.twists(e.Msg) {
			out = append(out, v.tongue.tell(e.To, e.Msg)...)
		} else {
			out = append(out, effect)
		}
	case pbft.Respond:
		out = append(out, v.tongue.answer(e.Reply)...)
	default: // concerns nobody else
		out = append(out, effect)
	}
	return out, back
}

// spread is what a driver would do with a broadcast, but for what every other replica is told.
func (v *voice) spread(m pbft.Message) []pbft.Effect {
	v.signed(m)
	var out []pbft.Effect
	if pbft.Durable(m) {
		out = append(out, pbft.Persist{Record: &pbft.Sent{Msg: m}})
	}
	for _, to := range v.others() {
		out = append(out, v.tongue.tell(to, m)...)
	}
	return out
}

// loopback returns a broadcast to the core, which knows nothing of how it was told.
func (s seat) loopback(m pbft.Message) pbft.Event {
	return pbft.Received{From: pbft.Source{Replica: s.cfg.Self, Loopback: true}, Msg: pbft.Own(m)}
}

// seqOf is the sequence number that a message is about, 0 if it is about none.
func seqOf(m pbft.Message) pbft.Seq {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return m.Seq
	case *pbft.Prepare:
		return m.Seq
	case *pbft.Commit:
		return m.Seq
	case *pbft.Checkpoint:
		return m.Seq
	case *pbft.CertifiedBody:
		return m.Seq
	default:
		return 0
	}
}

// onset is when an attacker begins: it is honest until its core first speaks of a sequence number, and then no more.
type onset struct {
	from  pbft.Seq
	begun bool
}

func (o *onset) reached(seq pbft.Seq) bool {
	o.begun = o.begun || seq >= o.from
	return o.begun
}
