package replica

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// lyingViewChange tries to make a new view forget what may have committed (§4.4, V1, V3).
var lyingViewChange = tamper.Describe[changeLiar]("lying-view-change", tamper.Byzantine,
	"sends every replica another ViewChange: with some, all or none of its prepared certificates, and a stale checkpoint",
	"at most f extra views; nothing that committed is forgotten")

type changeLiar struct {
	rule
	How     string `default:"mixed" words:"mixed,empty,stale" doc:"mixed: another P and C for each destination; empty: no P for "`
	_       any    `doc:"anybody; stale: the initial state as C, and no P"`
	Provoke bool   `default:"no" doc:"yes: as primary it proposes nothing, so that there is a view change to lie in"`
}

func (l *changeLiar) ready() error {
	if l.Provoke {
		return l.lie(l.change, wire.TypeViewChange, wire.TypePrePrepare)
	}
	return l.lie(l.change, wire.TypeViewChange)
}

func (l *changeLiar) change(to port.Source, m wire.Message) []wire.Message {
	vc, ok := m.(*wire.ViewChange)
	if !ok {
		return nil // a proposal
	}
	lie := &wire.ViewChange{View: vc.View, Replica: vc.Replica, Suspects: vc.Suspects, Stable: vc.Stable}
	switch mixed := l.How == "mixed"; {
	case l.How == "stale" || mixed && to.Replica%3 == 2:
		lie.Stable = wire.StableCert{}
	case mixed && to.Replica%3 == 1: // every other certificate
		for i := 0; i < len(vc.Prepared); i += 2 {
			lie.Prepared = append(lie.Prepared, vc.Prepared[i])
		}
	default:
	}
	return []wire.Message{l.signed(lie)}
}

// viewChangeStorm wants to be alone in a far view, and everybody to come along (V7).
var viewChangeStorm = tamper.Describe[stormer]("view-change-storm", tamper.Byzantine,
	"sends ViewChange(v+1), ViewChange(v+2) and so on, justified by itself alone or by forged suspicions, and suspects them all",
	"no view change; throughput ≥ 90 %")

type stormer struct {
	liar
	Views uint64 `default:"1000" doc:"how far above the current view it goes, before it begins again"`
	Rate  uint64 `default:"10" cap:"1000" doc:"views a tick"`
	step  uint64
}

func (s *stormer) hear(ev port.Event) []port.Event {
	if _, ok := ev.(port.Tick); ok && s.awake {
		for range s.Rate {
			s.step = s.step%max(s.Views, 1) + 1
			s.burst(s.view + wire.View(s.step))
		}
	}
	return []port.Event{ev}
}

// burst is a Suspect, which is as valid as any, and a ViewChange that has too few of them, or one more that nobody signed.
func (s *stormer) burst(u wire.View) {
	suspects := s.suspicions(u - 1)
	own := suspects[slices.IndexFunc(suspects, func(x wire.Suspect) bool { return x.Replica == s.cfg.Self })]
	m := &wire.ViewChange{View: u, Replica: s.cfg.Self, Suspects: []wire.Suspect{own}}
	if u%2 == 0 {
		m.Suspects = suspects
	}
	s.spread(&own)
	s.spread(s.signed(m))
}

// suspicions are f+1 suspicions against a view, of which all but its own are forged.
func (l *liar) suspicions(of wire.View) []wire.Suspect {
	own := wire.Suspect{View: of, Replica: l.cfg.Self}
	l.signed(&own)
	all := []wire.Suspect{own}
	for _, id := range l.others()[:l.cfg.Weak()-1] {
		all = append(all, wire.Suspect{View: of, Replica: id, Sig: own.Sig})
	}
	slices.SortFunc(all, func(a, b wire.Suspect) int { return int(a.Replica) - int(b.Replica) })
	return all
}

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
func (b *boaster) hear(ev port.Event) []port.Event {
	tick, ok := ev.(port.Tick)
	if !ok || !b.awake {
		return []port.Event{ev}
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
		b.say(port.Send{To: to, Msg: m})
	}
	return []port.Event{ev}
}
