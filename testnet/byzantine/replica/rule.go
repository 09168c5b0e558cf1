package replica

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// rule is a filter on messages. What matches it, it acts on: a message of its types, to or from its peers, once its onset is
// reached, with its probability. Filters embed it and set what they need when they are ready.
type rule struct {
	liar
	incoming bool // it is about what comes in; otherwise about what goes out
	own      bool // it is about signed statements of its own alone
	types    tamper.Types
	peers    tamper.Peers
	onset    *tamper.Onset // nil: from the beginning
	since    wire.Seq      // statements about places below it do not match
	chance   float64       // 0: always
	dice     tamper.Dice
	act      func(peer port.Source, m wire.Message) []wire.Message
}

// dropped is the act of keeping a message back.
func dropped(port.Source, wire.Message) []wire.Message { return nil }

// delayed is the act of saying it later.
func (r *rule) delayed(by *time.Duration) func(port.Source, wire.Message) []wire.Message {
	return func(to port.Source, m wire.Message) []wire.Message {
		r.delay(*by, to, m)
		return nil
	}
}

// lie has signed statements of its own, of these types, replaced for everybody.
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

// hear lets the core hear what is left of a message that comes in.
func (r *rule) hear(ev port.Event) []port.Event {
	m := received(ev)
	if !r.incoming || !r.awake || m == nil || !r.covers(m) || !r.hits(ev.(port.Received).From) {
		return []port.Event{ev}
	}
	return nil
}

func (r *rule) twists(m wire.Message) bool { return !r.incoming && r.covers(m) }

func (r *rule) tell(to port.Source, m wire.Message) []wire.Message {
	if !r.hits(to) {
		return []wire.Message{m}
	}
	return r.act(to, m)
}
