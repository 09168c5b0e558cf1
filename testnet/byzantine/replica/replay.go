package replica

import (
	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// replay says again what was said before, or elsewhere.
var replay = tamper.Describe[repeater]("replay", tamper.Byzantine,
	"sends recorded messages of others byte for byte, messages of other streams, and its own votes for another cluster",
	"no state changes")

type repeater struct {
	liar
	What tamper.List `default:"all" words:"recorded,streams,cluster" doc:"recorded: what it heard from any replica, of any view; "`
	_    any         `doc:"streams: what only clients or replies carry; cluster: its own votes signed for another cluster; all: everything"`
	Rate uint64      `default:"5" cap:"1000" doc:"messages a tick, to everybody"`

	heard   *Recording
	next    int
	foreign wire.Config
	own     wire.Message // its newest vote
}

func (r *repeater) ready() error {
	if r.heard = r.recording(); r.cfg != nil {
		r.foreign = *r.cfg
		r.foreign.Cluster[0] ^= 0xff
	}
	return nil
}

func (r *repeater) speak(m wire.Message) []wire.Message {
	switch m.(type) {
	case *wire.Prepare, *wire.Commit, *wire.Checkpoint:
		r.own = m
	default:
	}
	return []wire.Message{m}
}

func (r *repeater) hear(ev pbft.Event) []pbft.Event {
	r.heard.overhear(ev)
	if _, ok := ev.(pbft.Tick); ok && r.awake && r.heard.Len() > 0 {
		for range r.Rate {
			r.repeat()
		}
	}
	return []pbft.Event{ev}
}

// repeat says the next recorded message, and what else there is to say.
func (r *repeater) repeat() {
	r.next = (r.next + 1) % r.heard.Len()
	m := r.heard.At(r.next)
	// Status and its kind are authenticated by the link: said again they would be the attacker's own.
	if _, signed := wire.Signer(r.cfg, m); signed && r.What.Has("recorded") {
		r.spread(m)
	}
	if q, ok := m.(*wire.Request); ok && r.What.Has("streams") {
		r.spread(&wire.Attach{Session: q.ID.Session})
		r.spread(&wire.Inquire{})
		r.spread(&wire.Reply{
			ID: q.ID, Request: q.Digest(), Outcome: wire.OutcomeExecuted, Seq: 1, Results: [][]byte{nil},
		})
	}
	if r.own != nil && r.What.Has("cluster") {
		vote := tamper.Copy(r.own)
		wire.Sign(&r.foreign, vote, r.sign)
		r.spread(vote)
	}
}
