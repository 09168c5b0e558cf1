package byzantine

import "tagma/pbft"

// replay says again what was said before, or elsewhere.
var replay = Behaviour{
	Name:    "replay",
	Model:   Byzantine,
	Summary: "sends recorded messages of others byte for byte, messages of other streams, and its own votes for another cluster",
	Bound:   "no state changes",
	Parameters: []Parameter{
		{
			"what", all, "recorded: what it heard from any replica, of any view; streams: what only clients or replies carry; " +
				"cluster: its own votes signed for another cluster; all: everything",
		},
		{"rate", "5", "messages a tick, to everybody"},
	},
	build: newParrot,
}

type parrot struct {
	honest
	seat
	what    string
	rate    uint64
	heard   *Recording
	next    int
	foreign *pbft.Config
	own     pbft.Message // its newest vote
}

func newParrot(v values, at seat) (Core, error) {
	p := &parrot{seat: at, heard: at.recording()}
	var err error
	if p.what, err = v.oneOf("what", all, "recorded", "streams", "cluster"); err != nil {
		return nil, err
	}
	if p.rate, err = v.number("rate"); err != nil {
		return nil, err
	}
	p.rate = min(p.rate, 1000)
	if at.cfg != nil {
		elsewhere := *at.cfg
		elsewhere.Cluster[0] ^= 0xff
		p.foreign = &elsewhere
	}
	return at.speaks(p), nil
}

func (p *parrot) speak(m pbft.Message) []pbft.Message {
	switch m.(type) {
	case *pbft.Prepare, *pbft.Commit, *pbft.Checkpoint:
		p.own = m
	default:
	}
	return p.honest.speak(m)
}

func (p *parrot) before(ev pbft.Event, awake bool) []pbft.Effect {
	p.heard.overhear(ev)
	if _, ok := ev.(pbft.Tick); !ok || !awake {
		return nil
	}
	var out []pbft.Effect
	for range p.rate {
		for _, m := range p.repeat() {
			out = append(out, p.toOthers(m)...)
		}
	}
	return out
}

// repeat is the next recorded message, and what else there is to say.
func (p *parrot) repeat() []pbft.Message {
	if p.heard.Len() == 0 {
		return nil
	}
	p.next = (p.next + 1) % p.heard.Len()
	m := p.heard.At(p.next)
	var out []pbft.Message
	// Status and its kind are authenticated by the link: said again they would be the attacker's own.
	if _, signed := pbft.Signer(p.cfg, m); signed && p.says("recorded") {
		out = append(out, m)
	}
	if r, ok := m.(*pbft.Request); ok && p.says("streams") {
		out = append(out, &pbft.Attach{Session: r.ID.Session}, &pbft.Inquire{}, &pbft.Reply{
			ID: r.ID, Request: r.Digest(), Outcome: pbft.OutcomeExecuted, Seq: 1, Results: [][]byte{nil},
		})
	}
	if p.own != nil && p.says("cluster") {
		vote := withSignature(p.own, func(s pbft.Signature) pbft.Signature { return s })
		pbft.Sign(p.foreign, vote, p.sign)
		out = append(out, vote)
	}
	return out
}

func (p *parrot) says(what string) bool { return p.what == all || p.what == what }
