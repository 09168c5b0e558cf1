package replica

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Options is what an attacker may need in addition to its behaviour. With the zero value, the attacker is malicious all
// the time and knows no clients' names.
type Options struct {
	// When reports whether the attacker lies at a moment; nil: always. At other times it is honest, with the same core.
	// See Between.
	When func(port.Tick) bool
	// Client returns the key of a client with a name such as c0, for parameters that name a client; nil: such parameters
	// must be keys.
	Client func(name string) (wire.PublicKey, bool)
	// Recording holds the messages that all attackers of a run have received or sent; nil: each attacker remembers only
	// its own.
	Recording *Recording
}

// Between returns a function that is true between two times of a replica's own clock (Tick.Mono). If until is 0, it
// stays true.
func Between(from, until time.Duration) func(port.Tick) bool {
	return func(t port.Tick) bool { return t.Mono >= from && (until == 0 || t.Mono < until) }
}

// liar is what all attackers embed: the honest core that they wrap, and hooks that change nothing. An attacker without a
// core only checks its parameters.
type liar struct {
	cfg    *wire.Config
	core   Core
	sign   Sign
	opt    Options
	heard  *Recording    // messages that it received, and those that other attackers recorded; nil unless it listens
	view   wire.View     // the core's view, as the core last reported it
	leads  bool          // the core is the primary of view, and the view is active
	low    wire.Seq      // the core's h
	active bool          // the attacker lies now
	now    time.Duration // the time of the last tick
	said   []port.Effect // messages that it sends in this step without the core
	late   []postponed   // messages that it sends later, in the order in which they are due
}

// hooks are the methods of liar that an attacker may replace.
type hooks interface {
	common() *liar
	Anchor() []wire.Record
	// ready prepares an attacker whose parameters are set, and makes the checks that the tags cannot express.
	ready() error
	// hear returns the events that the core is given instead of an event. It is called also while the attacker is
	// honest; the other hooks are not.
	hear(ev port.Event) []port.Event
	// tick is called when the attacker may send messages without the core.
	tick(port.Tick)
	// speak returns the messages that are broadcast instead of one that the core broadcasts. The core is made to believe
	// that it sent these.
	speak(m wire.Message) []wire.Message
	// tell returns the messages that one replica or client gets instead of a signed message. It is called once for every
	// receiver of a broadcast.
	tell(to port.Source, m wire.Message) []wire.Message
}

func (l *liar) common() *liar                                   { return l }
func (*liar) ready() error                                      { return nil }
func (*liar) hear(ev port.Event) []port.Event                   { return []port.Event{ev} }
func (*liar) tick(port.Tick)                                    {}
func (*liar) speak(m wire.Message) []wire.Message               { return []wire.Message{m} }
func (*liar) tell(_ port.Source, m wire.Message) []wire.Message { return []wire.Message{m} }

// Anchor returns the core's records. The attacker's lies are in no journal.
func (l *liar) Anchor() []wire.Record { return l.core.Anchor() }

// attacker connects hooks with the core. The core must believe that its messages were sent unchanged. So its broadcasts
// come back to it and its votes are in the journal. It then continues, also after a crash, like the core of an honest
// replica.
type attacker struct{ hooks }

// Step gives the core an event. It replaces the core's messages by those of the attacker.
func (a attacker) Step(ev port.Event) []port.Effect {
	l := a.common()
	l.time(ev)
	if e, brings := ev.(port.Received); brings && l.heard != nil {
		l.heard.Add(e.Msg.Message())
	}
	if t, ticks := ev.(port.Tick); ticks && l.active {
		a.tick(t)
	}
	todo := a.hear(ev)
	out := l.flush(nil)
	for len(todo) > 0 {
		ev, todo = todo[0], todo[1:]
		for _, effect := range l.core.Step(ev) {
			l.follow(effect)
			if !l.active {
				out = append(out, effect)
				continue
			}
			said, back := a.utter(effect)
			out = l.flush(append(out, said...))
			todo = append(todo, back...)
		}
	}
	return out
}

// utter returns the effects that replace one effect of the core, and the events that come back to the core at once.
func (a attacker) utter(effect port.Effect) (out []port.Effect, back []port.Event) {
	l := a.common()
	switch e := effect.(type) {
	case port.Broadcast:
		for _, m := range a.speak(e.Msg) {
			l.signed(m)
			var told []port.Effect
			lied := false
			for _, to := range l.others() {
				words := a.told(port.Source{Replica: to}, m)
				told = append(told, words...)
				lied = lied || len(words) != 1 || words[0] != port.Effect(port.Send{To: to, Msg: m})
			}
			if !lied {
				out = append(out, port.Broadcast{Msg: m})
				continue
			}
			// This does what a driver does with a broadcast, except that each replica gets messages of its own.
			if wire.Durable(m) {
				out = append(out, port.Persist{Record: &wire.Sent{Msg: m}})
			}
			out = append(out, told...)
			back = append(back, l.loopback(m))
		}
		return out, back
	case port.Send:
		return a.told(port.Source{Replica: e.To}, e.Msg), nil
	case port.Respond:
		return a.told(port.Source{Client: true}, e.Reply), nil
	default: // these effects concern no other replica
		return []port.Effect{effect}, nil
	}
}

func (a attacker) told(to port.Source, m wire.Message) (out []port.Effect) {
	for _, words := range a.tell(to, m) {
		out = append(out, toward(to, words))
	}
	return out
}

// follow reads from the core's effects which view the core is in.
func (l *liar) follow(effect port.Effect) {
	stable := func(r wire.Record) {
		if s, is := r.(*wire.Stable); is {
			l.low = s.Cert.Seq
		}
	}
	switch e := effect.(type) {
	case port.Persist:
		stable(e.Record)
	case port.Note:
		stable(e.Record)
	case port.Broadcast:
		if report, is := e.Msg.(*wire.Status); is {
			l.view, l.low = report.View, report.Stable
			l.leads = report.Active && l.cfg.Primary(report.View) == l.cfg.Self
		}
	default: // these effects say nothing about that
	}
}

// toward returns the effect that sends a message to a replica or client.
func toward(to port.Source, m wire.Message) port.Effect {
	if to.Client {
		return port.Respond{Reply: m.(*wire.Reply)}
	}
	return port.Send{To: to.Replica, Msg: m}
}

// mostHeld bounds what an attacker remembers. It does no harm if an attacker forgets some of its lies.
const mostHeld = 1 << 16

// postponed is a message that is sent later.
type postponed struct {
	due    time.Duration
	effect port.Effect
}

// time updates the clock: whether the attacker is active now, and which delayed messages are due.
func (l *liar) time(ev port.Event) {
	tick, ok := ev.(port.Tick)
	if !ok {
		return
	}
	if l.now = tick.Mono; l.opt.When != nil {
		l.active = l.opt.When(tick)
	}
	for len(l.late) > 0 && l.late[0].due <= l.now {
		l.say(l.late[0].effect)
		l.late = l.late[1:]
	}
}

// delay sends a message later. All messages of one attacker are delayed by the same time.
func (l *liar) delay(by time.Duration, to port.Source, m wire.Message) {
	if len(l.late) < mostHeld {
		l.late = append(l.late, postponed{l.now + by, toward(to, m)})
	}
}

// say adds a message to those that the attacker sends without the core.
func (l *liar) say(effects ...port.Effect) { l.said = append(l.said, effects...) }

func (l *liar) flush(out []port.Effect) []port.Effect {
	out = append(out, l.said...)
	l.said = l.said[:0]
	return out
}

// spread sends the same message to every other replica.
func (l *liar) spread(m wire.Message) {
	for _, to := range l.others() {
		l.say(port.Send{To: to, Msg: m})
	}
}

// signed signs a statement with the attacker's own key, whichever sender the statement names.
func (l *liar) signed(m wire.Message) wire.Message {
	wire.Sign(l.cfg, m, l.sign)
	return m
}

// vote returns an unsigned vote of the attacker: a prepare, a commit or a checkpoint, which has no view.
func (l *liar) vote(kind wire.Type, view wire.View, seq wire.Seq, d wire.Digest) wire.Message {
	switch kind {
	case wire.TypePrepare:
		return &wire.Prepare{View: view, Seq: seq, Digest: d, Replica: l.cfg.Self}
	case wire.TypeCommit:
		return &wire.Commit{View: view, Seq: seq, Digest: d, Replica: l.cfg.Self}
	default:
		return &wire.Checkpoint{Seq: seq, Digest: d, Replica: l.cfg.Self}
	}
}

// others lists all replicas but this one.
func (l *liar) others() (ids []wire.ReplicaID) {
	for i := range l.cfg.Members {
		if id := wire.ReplicaID(i); id != l.cfg.Self {
			ids = append(ids, id)
		}
	}
	return ids
}

// mine reports whether a message is a signed statement of this replica.
func (l *liar) mine(m wire.Message) bool {
	by, signed := wire.Sender(l.cfg, m)
	return signed && by == l.cfg.Self
}

// loopback returns a broadcast to the core, as if it had been sent unchanged.
func (l *liar) loopback(m wire.Message) port.Event {
	return port.Received{From: port.Source{Replica: l.cfg.Self, Loopback: true}, Msg: wire.Own(m)}
}

// listen makes an attacker remember the messages that it receives.
func (l *liar) listen() {
	if l.heard = l.opt.Recording; l.heard == nil {
		l.heard = NewRecording()
	}
}

// received returns the message that an event brings from another replica or a client, or nil.
func received(ev port.Event) wire.Message {
	if e, ok := ev.(port.Received); ok && !e.From.Loopback {
		return e.Msg.Message()
	}
	return nil
}

// shifted returns a digest that is different for every replica.
func shifted(to wire.ReplicaID) func(wire.Digest) wire.Digest {
	return func(d wire.Digest) wire.Digest {
		d[0] ^= byte(to >> 8)
		d[1] ^= byte(to)
		d[2] ^= 0xff
		return d
	}
}

// otherDigest returns an unsigned copy of a statement with another digest. A body is not changed.
func otherDigest(m wire.Message, to wire.ReplicaID) wire.Message {
	return tamper.Altered(m, "Digest", shifted(to))
}

// rule is a filter on messages. A message matches if it has one of the rule's types, is to or from one of its peers, and
// the rule's onset is reached. On such a message the rule acts with its probability. Behaviours embed it, and set the
// fields that they need in ready.
type rule struct {
	liar
	incoming bool // the rule is for incoming messages; otherwise it is for outgoing ones
	own      bool // the rule is only for the replica's own signed statements
	types    tamper.Types
	peers    tamper.Peers
	onset    *tamper.Onset // nil: from the beginning
	since    wire.Seq      // statements about lower sequence numbers do not match
	chance   float64       // 0: always
	dice     tamper.Dice
	act      func(peer port.Source, m wire.Message) []wire.Message
}

// dropped is the action that drops a message.
func dropped(port.Source, wire.Message) []wire.Message { return nil }

// delayed returns the action that sends a message later.
func (r *rule) delayed(by *time.Duration) func(port.Source, wire.Message) []wire.Message {
	return func(to port.Source, m wire.Message) []wire.Message {
		r.delay(*by, to, m)
		return nil
	}
}

// lie makes the rule replace the replica's own signed statements of these types, for all receivers.
func (r *rule) lie(act func(to port.Source, m wire.Message) []wire.Message, types ...wire.Type) error {
	r.own, r.types, r.peers, r.act = true, tamper.Only(types...), tamper.Everybody(), act
	return nil
}

func (r *rule) covers(m wire.Message) bool {
	seq := tamper.SeqOf(m)
	return (!r.own || r.mine(m)) && (r.onset == nil || r.onset.Reached(seq)) && seq >= r.since && r.types.Has(wire.TypeOf(m))
}

func (r *rule) hits(peer port.Source) bool {
	return r.peers.Has(peer) && (r.chance == 0 || r.dice.Strikes(r.chance))
}

// hear gives the core an incoming message, changed or dropped as the rule says.
func (r *rule) hear(ev port.Event) []port.Event {
	m := received(ev)
	if !r.incoming || !r.active || m == nil || !r.covers(m) || !r.hits(ev.(port.Received).From) {
		return []port.Event{ev}
	}
	return nil
}

func (r *rule) tell(to port.Source, m wire.Message) []wire.Message {
	if r.incoming || !r.covers(m) || !r.hits(to) {
		return []wire.Message{m}
	}
	return r.act(to, m)
}
