package local

import (
	"sync/atomic"

	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
)

// gate lets an attacker lie while it is open, and counts how often it did.
type gate struct {
	byzantine.Core // the attacker
	open           atomic.Bool
	lies           atomic.Int64
	witness        byzantine.Witness
	seen           int               // lies of the witness that are counted
	frames         *byzantine.Frames // nil if it sends nothing but messages
}

// newGate puts a behaviour around a core, asleep.
func newGate(c byzantine.Choice, cfg *wire.Config, core byzantine.Core, sign byzantine.Sign, opt byzantine.Options) (*gate, error) {
	g := &gate{}
	opt.When = func(pbft.Tick) bool { return g.open.Load() }
	var err error
	if g.frames, err = byzantine.NewFrames(c); err != nil {
		return nil, err
	}
	attacker, err := byzantine.New(c, cfg, g.witness.Within(core), sign, opt)
	if err != nil {
		return nil, err
	}
	g.Core = g.witness.Around(attacker)
	return g, nil
}

// Step implements driver.Core.
func (g *gate) Step(ev pbft.Event) []pbft.Effect {
	out := g.Core.Step(ev)
	g.lies.Add(int64(g.witness.Lies() - g.seen))
	g.seen = g.witness.Lies()
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
