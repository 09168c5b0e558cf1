package byzantine

import "tagma/pbft"

// lyingStatus lies about how far it is, in what nobody signs and everybody acts on: retransmission goes by it.
var lyingStatus = Behaviour{
	Name:    "lying-status",
	Model:   Byzantine,
	Summary: "reports that it has executed what nobody ordered, or that it lacks everything, at every tick",
	Bound:   "no view change; throughput ≥ 80 %; what it is sent again is bounded",
	Parameters: []Parameter{
		{"how", "lacks", "lacks: it has executed nothing and lacks all; ahead: it is far above everybody, in a far view"},
	},
	build: newBoaster,
}

type boaster struct {
	honest
	seat
	how  string
	view pbft.View
}

func newBoaster(v values, at seat) (Core, error) {
	b := &boaster{seat: at}
	var err error
	if b.how, err = v.oneOf("how", "lacks", "ahead"); err != nil {
		return nil, err
	}
	return at.speaks(b), nil
}

func (b *boaster) speak(m pbft.Message) []pbft.Message {
	if s, ok := m.(*pbft.Status); ok {
		b.view = s.View
		return nil
	}
	return b.honest.speak(m)
}

// before asks each of the others for help, at every tick: everyone is the helper of the status that it is sent.
func (b *boaster) before(ev pbft.Event, awake bool) []pbft.Effect {
	tick, ok := ev.(pbft.Tick)
	if !ok || !awake {
		return nil
	}
	var out []pbft.Effect
	for _, to := range b.others() {
		m := &pbft.Status{View: b.view, Active: true, Wall: tick.Wall, Helper: to}
		first := pbft.Seq(1)
		if b.how == "ahead" {
			m.View += 1 << 30
			m.Executed, m.Stable = 1<<60, 1<<60
			first += 1 << 60
		}
		for seq := first; seq < first+2*b.cfg.LogWindow; seq++ {
			m.Slots = append(m.Slots, pbft.SlotStatus{Seq: seq, Lacks: pbft.LacksProposal | pbft.LacksPrepares | pbft.LacksCommits})
		}
		out = append(out, pbft.Send{To: to, Msg: m})
	}
	return out
}
