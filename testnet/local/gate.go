package local

import (
	"strconv"
	"strings"
	"sync/atomic"

	"tagma/internal/cluster"
	"tagma/internal/driver"
	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
)

// gate lets an attacker lie while it is open. It sees both what the core wanted and what the attacker made of it, and
// counts the differences: what was said in addition or kept back, and what the core was not told.
type gate struct {
	open     atomic.Bool
	core     byzantine.Core
	attacker byzantine.Core
	frames   *byzantine.Frames // nil if it sends nothing but messages
	lies     atomic.Int64

	given  pbft.Event           // what the attacker was given
	heard  bool                 // the core was stepped during this step of the attacker
	wanted map[wire.Message]int // what it wanted to be said then, and how often
}

// newGate puts a behaviour around a core, asleep.
func newGate(c byzantine.Choice, cfg *wire.Config, core byzantine.Core, sign byzantine.Sign, opt byzantine.Options) (*gate, error) {
	g := &gate{core: core, wanted: make(map[wire.Message]int)}
	opt.When = func(pbft.Tick) bool { return g.open.Load() }
	var err error
	if g.frames, err = byzantine.NewFrames(c); err != nil {
		return nil, err
	}
	g.attacker, err = byzantine.New(c, cfg, eavesdropper{g}, sign, opt)
	return g, err
}

// Anchor implements driver.Core.
func (g *gate) Anchor() []wire.Record { return g.attacker.Anchor() }

// Step implements driver.Core.
func (g *gate) Step(ev pbft.Event) []pbft.Effect {
	g.given, g.heard = ev, false
	clear(g.wanted)
	out := g.attacker.Step(ev)
	lies := 0
	for _, e := range out {
		m := said(e)
		switch {
		case m == nil:
		case g.wanted[m] > 0:
			g.wanted[m]--
		default:
			lies++
		}
	}
	for _, keptBack := range g.wanted {
		lies += keptBack
	}
	if _, message := ev.(pbft.Received); message && !g.heard {
		lies++
	}
	g.lies.Add(int64(lies))
	return out
}

// pass returns what goes to a replica in place of a frame.
func (g *gate) pass(to wire.ReplicaID, frame []byte) [][]byte {
	if g.frames == nil || !g.open.Load() {
		return [][]byte{frame}
	}
	before := g.frames.Lies()
	out := g.frames.Pass(to, frame)
	g.lies.Add(int64(g.frames.Lies() - before))
	return out
}

// said is the message that an effect lets others hear, nil if there is none.
func said(e pbft.Effect) wire.Message {
	switch e := e.(type) {
	case pbft.Broadcast:
		return e.Msg
	case pbft.Send:
		return e.Msg
	case pbft.Respond:
		return e.Reply
	default:
		return nil
	}
}

// eavesdropper is the core as the attacker sees it.
type eavesdropper struct{ *gate }

// Anchor implements driver.Core.
func (e eavesdropper) Anchor() []wire.Record { return e.core.Anchor() }

// Step implements driver.Core.
func (e eavesdropper) Step(ev pbft.Event) []pbft.Effect {
	e.heard = true
	if tick, is := ev.(pbft.Tick); is {
		if truth, told := e.given.(pbft.Tick); told && tick != truth {
			e.lies.Add(1) // about the time, to its own core
		}
	}
	out := e.core.Step(ev)
	for _, effect := range out {
		if m := said(effect); m != nil {
			e.wanted[m]++
		}
	}
	return out
}

// gates puts behaviours around a core, one around the other, all asleep.
func gates(
	choices []byzantine.Choice, cfg *wire.Config, core byzantine.Core, sign byzantine.Sign, opt byzantine.Options,
) (driver.Core, []*gate, error) {
	var all []*gate
	for _, c := range choices {
		g, err := newGate(c, cfg, core, sign, opt)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, g)
		core = g
	}
	return core, all, nil
}

// clientOf resolves c0, c1, … to the keys that Cluster.ClientKey names by number.
func clientOf(file *cluster.File) func(name string) (wire.PublicKey, bool) {
	return func(name string) (wire.PublicKey, bool) {
		digits, _ := strings.CutPrefix(name, "c")
		i, err := strconv.Atoi(digits)
		if err != nil || digits == name {
			return wire.PublicKey{}, false
		}
		for _, c := range file.Clients {
			if c.Name == clientName(i) {
				return c.Key.Public(), true
			}
		}
		return wire.PublicKey{}, false
	}
}
