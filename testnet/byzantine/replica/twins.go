package replica

import (
	"slices"
	"time"

	"tagma/pbft"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// twins are two honest replicas under one key, each of which knows a part of the cluster (Bano et al.). Nobody scripted a
// lie, and together they tell every one that two honest replicas can.
var twins = tamper.Describe[pair]("twins", tamper.Byzantine,
	"two honest replicas under one key, each of which is linked with some of the others; only the first one executes",
	"at most one view change for each bad primary; proof is kept")

type pair struct {
	liar
	First  tamper.Peers `default:"half" words:"half" doc:"whom the first one is linked with: half (those below the middle), or "`
	_      any          `doc:"replicas such as 1+2"`
	Second tamper.Peers `default:"half" words:"half" doc:"whom the second one is linked with: half (the others), or replicas; who "`
	_      any          `doc:"is in both lists hears both"`

	second Core         // nil until it is its time
	done   wire.Seq     // what the first one has executed, as far as is known
	tried  wire.Seq     // at which the second one could not be born
	todo   []port.Event // what the second one's machine has to say
	states []state      // of the first one, for the second
	asked  []wire.Seq   // states that the second one waits for, ascending
}

type state struct {
	seq    wire.Seq
	digest wire.Digest
}

// links reports whether a twin, the first being number 0, is linked with a replica.
func (p *pair) links(twin int, id wire.ReplicaID) bool {
	with := []*tamper.Peers{&p.First, &p.Second}[twin]
	if with.Word != "" {
		return int(id) < p.cfg.N()/2 == (twin == 0)
	}
	return with.Replica(id)
}

// apart is how far the second one's wall clock is ahead: no two clocks agree, so no two batches are alike.
const apart = time.Millisecond

// hear gives an event to whom it concerns. The core is the first one.
func (p *pair) hear(ev port.Event) []port.Event {
	if e, ok := ev.(port.Executed); ok {
		p.done = max(p.done, e.Seq)
	}
	if !p.awake {
		return []port.Event{ev}
	}
	if p.second == nil && (p.tried == 0 || p.tried < p.done) {
		p.bear()
	}
	first := []port.Event{ev}
	switch e := ev.(type) {
	case port.Tick:
		e.Wall += int64(apart)
		p.todo = append(p.todo, e)
	case port.Received:
		peer := !e.From.Client && !e.From.Loopback
		if peer && !p.links(0, e.From.Replica) {
			first = nil
		}
		if e.From.Client || peer && p.links(1, e.From.Replica) {
			p.todo = append(p.todo, e)
		}
	case port.Snapshotted:
		p.note(state{e.Seq, e.Digest})
	default: // of what the first one executes, or of a state that it fetches
	}
	p.runSecond()
	return first
}

// twists has the first one speak to his part of the cluster alone.
func (*pair) twists(m wire.Message) bool { return wire.TypeOf(m) != wire.TypeReply }

func (p *pair) tell(to port.Source, m wire.Message) []wire.Message {
	if p.links(0, to.Replica) {
		return []wire.Message{m}
	}
	return nil
}

// bear makes the second one: a copy of the first one's memory at this moment. After a restart it is not known how far
// that one's state goes until it executes something.
func (p *pair) bear() {
	second, err := pbft.New(p.cfg, p.core.Anchor(), pbft.Applied{Seq: p.done})
	if err != nil || second.Inspect().LeftBehind { // it would fetch a state first
		p.tried = max(p.done, 1)
		return
	}
	p.second = second
}

// runSecond steps the second one, who has no disk, and whose machine agrees with everything.
func (p *pair) runSecond() {
	for len(p.todo) > 0 && p.second != nil {
		ev := p.todo[0]
		p.todo = p.todo[1:]
		for _, effect := range p.second.Step(ev) {
			switch e := effect.(type) {
			case port.Broadcast:
				p.signed(e.Msg)
				for _, to := range p.others() {
					p.reach(to, e.Msg)
				}
				p.todo = append(p.todo, p.loopback(e.Msg))
			case port.Send:
				p.reach(e.To, e.Msg)
			case port.Execute:
				done := port.Executed{Seq: e.Seq}
				for _, r := range e.Body.Requests {
					done.Replies = append(done.Replies, &wire.Reply{ID: r.ID})
				}
				p.todo = append(p.todo, done)
			case port.Snapshot:
				p.asked = append(p.asked, e.Seq)
				p.match()
			default: // of disk, clients and operators the first one takes care
			}
		}
	}
	p.todo = p.todo[:0]
}

// reach brings a message of the second one to those that it is linked with.
func (p *pair) reach(to wire.ReplicaID, m wire.Message) {
	if p.links(1, to) {
		p.say(port.Send{To: to, Msg: m})
	}
}

// mostStates bounds what is remembered of the first one's states.
const mostStates = 64

// note remembers a state of the first one, which the second one may be asked to vouch for.
func (p *pair) note(s state) {
	if len(p.states) == mostStates {
		p.states = p.states[1:]
	}
	p.states = append(p.states, s)
	p.match()
}

// match tells the second one of the states that it waits for.
func (p *pair) match() {
	var left []wire.Seq
	for _, seq := range p.asked {
		if i := slices.IndexFunc(p.states, func(s state) bool { return s.seq == seq }); i >= 0 {
			p.todo = append(p.todo, port.Snapshotted{Seq: seq, Digest: p.states[i].digest})
		} else if len(left) < mostStates {
			left = append(left, seq)
		}
	}
	p.asked = left
}
