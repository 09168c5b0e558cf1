package replica

import (
	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// lyingStatus lies about how far it is, in what nobody signs and everybody acts on: retransmission goes by it.
var lyingStatus = tamper.Describe[boaster]("lying-status", tamper.Byzantine,
	"reports that it has executed what nobody ordered, or that it lacks everything, at every tick",
	"no view change; throughput ≥ 80 %; what it is sent again is bounded")

type boaster struct {
	liar
	How string `default:"lacks" words:"lacks,ahead" doc:"lacks: it has executed nothing and lacks all; ahead: it is far above "`
	_   any    `doc:"everybody, in a far view"`
}

func (b *boaster) speak(m wire.Message) []wire.Message {
	if _, ok := m.(*wire.Status); ok {
		return nil
	}
	return []wire.Message{m}
}

// hear asks each of the others for help, at every tick: everyone is the helper of the status that it is sent.
func (b *boaster) hear(ev pbft.Event) []pbft.Event {
	tick, ok := ev.(pbft.Tick)
	if !ok || !b.awake {
		return []pbft.Event{ev}
	}
	for _, to := range b.others() {
		m := &wire.Status{View: b.view, Active: true, Wall: tick.Wall, Helper: to}
		first := wire.Seq(1)
		if b.How == "ahead" {
			m.View += 1 << 30
			m.Executed, m.Stable = 1<<60, 1<<60
			first += 1 << 60
		}
		for seq := first; seq < first+2*b.cfg.LogWindow; seq++ {
			m.Slots = append(m.Slots, wire.SlotStatus{Seq: seq, Lacks: wire.LacksProposal | wire.LacksPrepares | wire.LacksCommits})
		}
		b.say(pbft.Send{To: to, Msg: m})
	}
	return []pbft.Event{ev}
}
