package replica

import (
	"maps"
	"time"

	"tagma/pbft"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// twins are two honest replicas with the same key, each connected to a part of the cluster (Bano et al.). There is no
// script of lies: whenever two honest replicas would send different messages, the twins contradict each other under
// their common key.
var twins = tamper.Describe[pair]("twins", tamper.Byzantine,
	"two honest replicas under one key, each of which is linked with some of the others; only the first one executes",
	"at most one view change for each bad primary; proof is kept")

type pair struct {
	liar
	First  tamper.Peers `default:"half" words:"half" doc:"whom the first twin is linked with: half (those below the middle), or "`
	_      any          `doc:"replicas such as 1+2"`
	Second tamper.Peers `default:"half" words:"half" doc:"whom the second twin is linked with: half (the others), or replicas; who "`
	_      any          `doc:"is in both lists hears both"`

	second Core                     // nil before the twins' time begins
	done   wire.Seq                 // how far the first twin has executed, as far as is known
	tried  wire.Seq                 // the sequence number at which the second twin could last not be made
	todo   []port.Event             // events from the second twin's machine that wait
	states map[wire.Seq]wire.Digest // digests of the states of the first twin, which the second one uses
	asked  map[wire.Seq]bool        // states for which the second twin waits
}

func (p *pair) ready() error {
	p.states, p.asked = map[wire.Seq]wire.Digest{}, map[wire.Seq]bool{}
	return nil
}

// links reports whether a twin is connected with a replica. The first twin has number 0.
func (p *pair) links(twin int, id wire.ReplicaID) bool {
	with := []*tamper.Peers{&p.First, &p.Second}[twin]
	if with.Word != "" {
		return int(id) < p.cfg.N()/2 == (twin == 0)
	}
	return with.Replica(id)
}

// apart is how far the wall clock of the second twin is ahead. So the batches of the two twins have different agreed
// times.
const apart = time.Millisecond

// hear gives an event to the twin that is connected with its sender. The core is the first twin.
func (p *pair) hear(ev port.Event) []port.Event {
	if e, ok := ev.(port.Executed); ok {
		p.done = max(p.done, e.Seq)
	}
	if !p.active {
		return []port.Event{ev}
	}
	if p.second == nil && (p.tried == 0 || p.tried < p.done) {
		p.spawn()
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
		p.note(e)
	default: // events about the first twin's execution, or about a state that it fetches
	}
	p.runSecond()
	return first
}

// tell makes the first twin send messages only to its part of the cluster.
func (p *pair) tell(to port.Source, m wire.Message) []wire.Message {
	if to.Client || p.links(0, to.Replica) {
		return []wire.Message{m}
	}
	return nil
}

// spawn makes the second twin: a copy of the first twin's memory at this moment. After a restart it is not known how far
// the first twin has executed, until it executes a batch.
func (p *pair) spawn() {
	// The record says that the journal is complete, even if votes may be sent before they are durable.
	memory := append(p.core.Anchor(), &wire.Clean{})
	second, err := pbft.New(p.cfg, memory, pbft.Applied{Seq: p.done})
	if err != nil || second.Inspect().LeftBehind { // this core would first have to fetch a state
		p.tried = max(p.done, 1)
		return
	}
	p.second = second
}

// runSecond gives the second twin its events. This twin has no disk, and its machine gives the same results and digests
// as that of the first.
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
				p.asked[e.Seq] = true
				p.vouch(e.Seq)
			default: // the first twin handles disk, clients and operators
			}
		}
	}
	p.todo = p.todo[:0]
}

// reach sends a message of the second twin to the replicas with which it is connected.
func (p *pair) reach(to wire.ReplicaID, m wire.Message) {
	if p.links(1, to) {
		p.say(port.Send{To: to, Msg: m})
	}
}

// note remembers the digest of a state of the first twin, which the second twin may need for a checkpoint. It forgets
// digests that are too old.
func (p *pair) note(e port.Snapshotted) {
	old := func(seq wire.Seq) bool { return seq+2*p.cfg.LogWindow < e.Seq }
	maps.DeleteFunc(p.states, func(seq wire.Seq, _ wire.Digest) bool { return old(seq) })
	maps.DeleteFunc(p.asked, func(seq wire.Seq, _ bool) bool { return old(seq) })
	p.states[e.Seq] = e.Digest
	p.vouch(e.Seq)
}

// vouch gives the second twin a digest for which it waits.
func (p *pair) vouch(seq wire.Seq) {
	if digest, known := p.states[seq]; known && p.asked[seq] {
		delete(p.asked, seq)
		p.todo = append(p.todo, port.Snapshotted{Seq: seq, Digest: digest})
	}
}
