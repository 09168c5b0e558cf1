package replica

import (
	"tagma/checkpoint/transfer"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// lyingStatus sends false status messages. Nobody signs these, and every replica sends what they ask for.
var lyingStatus = tamper.Describe[boaster]("lying-status", tamper.Byzantine,
	"reports at every tick that it has executed what nobody ordered, or that it lacks everything",
	"no view change; throughput ≥ 80 %; retransmissions to it are bounded")

type boaster struct {
	liar
	How string `default:"lacks" words:"lacks,ahead" doc:"lacks: it has executed nothing and lacks all; ahead: it is far above "`
	_   any    `doc:"everybody, in a far view"`
}

func (*boaster) speak(m wire.Message) []wire.Message {
	if _, ok := m.(*wire.Status); ok {
		return nil
	}
	return []wire.Message{m}
}

// tick asks all others for help: in the status message to each replica, it names that replica as its helper.
func (b *boaster) tick(t port.Tick) {
	for _, to := range b.others() {
		m := &wire.Status{View: b.view, Active: true, Wall: t.Wall, Helper: to}
		if b.How == "ahead" {
			m.View += 1 << 30
			m.Executed, m.Stable = 1<<60, 1<<60
		}
		m.Slots = lackingAll(m.Executed, 2*b.cfg.LogWindow)
		b.say(port.Send{To: to, Msg: m})
	}
}

// lackingAll returns status entries for so many slots above a sequence number. Each says that everything is missing
// there.
func lackingAll(above, places wire.Seq) (all []wire.SlotStatus) {
	for seq := above + 1; seq <= above+places; seq++ {
		all = append(all, wire.SlotStatus{Seq: seq, Lacks: wire.LacksProposal | wire.LacksPrepares | wire.LacksCommits})
	}
	return all
}

// greedyFetch asks for everything that the others have. Its questions are well formed and short, and have long answers
// (S4, N7, X0, X3).
var greedyFetch = tamper.Describe[glutton]("greedy-fetch", tamper.Byzantine,
	"asks all others for everything that they hold, again and again: votes, bodies, committed batches and the state",
	"throughput ≥ 80 %; no view change; what others send it within a T is bounded")

type glutton struct {
	liar
	What tamper.List `default:"all" words:"votes,bodies,batches,state" doc:"votes: a Status that lacks the whole window; bodies: each "`
	_    any         `doc:"body that was proposed lately; batches: the committed ones from h on, and older ones; state: that of the newest "`
	_    any         `doc:"checkpoint; all: everything"`
	Rate uint64      `default:"1" cap:"100" doc:"how often it asks for all of it in a tick"`

	proposed []wire.Fetch // the newest bodies that the attacker knows of
	asked    uint32       // how many questions for the state it has sent
}

// mostProposed bounds how many bodies the attacker asks for at a time.
const mostProposed = 128

// hear remembers the proposals of all primaries, including its own core.
func (g *glutton) hear(ev port.Event) []port.Event {
	if e, brings := ev.(port.Received); brings {
		if p, proposes := e.Msg.Message().(*wire.PrePrepare); proposes {
			g.proposed = append(g.proposed[max(0, len(g.proposed)-mostProposed+1):], wire.Fetch{Seq: p.Seq, Digest: p.Digest})
		}
	}
	return []port.Event{ev}
}

func (g *glutton) tick(t port.Tick) {
	for range g.Rate {
		for _, to := range g.others() {
			g.askFor(to, t.Wall)
		}
	}
}

// askFor asks one replica for everything that it may hold.
func (g *glutton) askFor(to wire.ReplicaID, wall int64) {
	ask := func(m wire.Message) { g.say(port.Send{To: to, Msg: m}) }
	if g.What.Has("votes") {
		slots := lackingAll(g.low, g.cfg.LogWindow)
		ask(&wire.Status{View: g.view, Active: true, Executed: g.low, Stable: g.low, Wall: wall, Helper: to, Slots: slots})
	}
	if g.What.Has("bodies") {
		for _, body := range g.proposed {
			ask(&wire.Fetch{Seq: body.Seq, Digest: body.Digest})
		}
	}
	if g.What.Has("batches") {
		const most = 512 // the number that a question may ask for at most
		older := g.low - min(g.low, g.cfg.LogWindow)
		ask(&wire.FetchSlots{From: g.low + 1, Most: most})
		ask(&wire.FetchSlots{From: older + 1, Most: most})
	}
	if g.What.Has("state") {
		ask(&wire.FetchState{})
		if g.low > 0 {
			g.asked++
			whole := transfer.Query{ID: g.asked, Items: []transfer.Item{{Kind: transfer.AskPath}}}
			ask(&wire.FetchState{Seq: g.low, Query: whole.Encode()})
		}
	}
}
