package byzantine

import "tagma/pbft"

// voice lets an honest core be heard through a tongue. The core believes that everything was said as it wanted: its
// broadcasts come back to it, and its votes are in the journal, so that it goes on, and comes back after a crash, like a
// replica that was honest.
type voice struct {
	cfg    *pbft.Config
	core   Core
	sign   Sign
	tongue tongue
}

// tongue says something else than the core wanted, or nothing, or later.
type tongue interface {
	// before is called with every event, and returns what is to be said in front of all else.
	before(ev pbft.Event) []pbft.Effect
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

func (honest) before(pbft.Event) []pbft.Effect { return nil }
func (honest) twists(pbft.Message) bool        { return false }

func (honest) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	return []pbft.Effect{pbft.Send{To: to, Msg: m}}
}

func (honest) answer(r *pbft.Reply) []pbft.Effect { return []pbft.Effect{pbft.Respond{Reply: r}} }

// Anchor is the core's: what others were told instead is in no journal.
func (v *voice) Anchor() []pbft.Record { return v.core.Anchor() }

// Step is the core's, with the tongue's words in the place of its own.
func (v *voice) Step(ev pbft.Event) []pbft.Effect {
	out := v.tongue.before(ev)
	todo := []pbft.Event{ev}
	for len(todo) > 0 {
		ev, todo = todo[0], todo[1:]
		for _, effect := range v.core.Step(ev) {
			switch e := effect.(type) {
			case pbft.Broadcast:
				if v.tongue.twists(e.Msg) {
					out = append(out, v.spread(e.Msg)...)
					todo = append(todo, v.loopback(e.Msg))
					continue
				}
			case pbft.Send:
				if v.tongue.twists(e.Msg) {
					out = append(out, v.tongue.tell(e.To, e.Msg)...)
					continue
				}
			case pbft.Respond:
				out = append(out, v.tongue.answer(e.Reply)...)
				continue
			default: // concerns nobody else
			}
			out = append(out, effect)
		}
	}
	return out
}

// spread is what a driver would do with a broadcast, but for what every other replica is told.
func (v *voice) spread(m pbft.Message) []pbft.Effect {
	pbft.Sign(v.cfg, m, v.sign)
	var out []pbft.Effect
	if pbft.Durable(m) {
		out = append(out, pbft.Persist{Record: &pbft.Sent{Msg: m}})
	}
	for i := range v.cfg.Members {
		if to := pbft.ReplicaID(i); to != v.cfg.Self {
			out = append(out, v.tongue.tell(to, m)...)
		}
	}
	return out
}

// loopback returns a broadcast to the core, which knows nothing of how it was told.
func (v *voice) loopback(m pbft.Message) pbft.Event {
	return pbft.Received{From: pbft.Source{Replica: v.cfg.Self, Loopback: true}, Msg: pbft.Own(m)}
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
