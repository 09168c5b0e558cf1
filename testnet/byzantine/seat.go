package byzantine

import (
	"time"

	"tagma/pbft"
)

// Options is what an attacker may need besides its behaviour. The zero value serves one that is malicious all the time
// and knows nobody.
type Options struct {
	// When reports whether the attacker lies at a moment; nil: always. Outside its time it is honest, and its core stays
	// one and the same. See Between.
	When func(pbft.Tick) bool
	// Client resolves the name of a client, such as c0, where a parameter names one; nil: only keys are understood.
	Client func(name string) (pbft.PublicKey, bool)
	// Recording is what attackers of one run have overheard together; nil: each remembers what it heard and said itself.
	Recording *Recording
}

// Between is true from one moment of a replica's own clock (Tick.Mono) until another one; until 0 is never over.
func Between(from, until time.Duration) func(pbft.Tick) bool {
	return func(t pbft.Tick) bool { return t.Mono >= from && (until == 0 || t.Mono < until) }
}

// seat is the place an attacker takes. The zero seat is no place: there a behaviour only judges its values.
type seat struct {
	cfg  *pbft.Config
	core Core
	sign Sign
	opt  Options
}

// speaks puts a tongue into the honest core's mouth.
func (s seat) speaks(t tongue) Core { return &voice{seat: s, tongue: t, awake: s.opt.When == nil} }

// recording is where an attacker remembers what it overhears.
func (s seat) recording() *Recording {
	if s.opt.Recording != nil {
		return s.opt.Recording
	}
	return NewRecording()
}

// lies reports whether the attacker lies at this moment; it keeps its mind between ticks.
func (s seat) lies(ev pbft.Event, before bool) bool {
	if tick, ok := ev.(pbft.Tick); ok && s.opt.When != nil {
		return s.opt.When(tick)
	}
	return before
}

// signed signs a statement with the attacker's own key, whoever it claims to be from.
func (s seat) signed(m pbft.Message) pbft.Message {
	pbft.Sign(s.cfg, m, s.sign)
	return m
}

// others lists all replicas but this one.
func (s seat) others() []pbft.ReplicaID {
	var ids []pbft.ReplicaID
	for i := range s.cfg.Members {
		if id := pbft.ReplicaID(i); id != s.cfg.Self {
			ids = append(ids, id)
		}
	}
	return ids
}

// toOthers sends every other replica the same message.
func (s seat) toOthers(m pbft.Message) []pbft.Effect {
	var out []pbft.Effect
	for _, to := range s.others() {
		out = append(out, pbft.Send{To: to, Msg: m})
	}
	return out
}

// mine reports whether a message is a signed statement of this replica.
func (s seat) mine(m pbft.Message) bool {
	by, signed := pbft.Sender(s.cfg, m)
	return signed && by == s.cfg.Self
}

// pulse is due again and again, by the ticks' clock.
type pulse struct{ every, next time.Duration }

func (p *pulse) due(ev pbft.Event) bool {
	tick, ok := ev.(pbft.Tick)
	if !ok || tick.Mono < p.next {
		return false
	}
	p.next = tick.Mono + p.every
	return true
}
