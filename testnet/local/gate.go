package local

import (
	"sync/atomic"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	malicious "tagma/testnet/byzantine/replica"
)

// gate lets an attacker lie while it is open, and counts how often it did.
type gate struct {
	malicious.Core // the attacker
	open           atomic.Bool
	lies           atomic.Int64
	witness        malicious.Witness
	seen           int               // lies of the witness that are counted
	frames         *malicious.Frames // nil if it sends nothing but messages
}

// newGate puts a behaviour around a core, asleep.
func newGate(c byzantine.Choice, cfg *wire.Config, core malicious.Core, sign malicious.Sign, opt malicious.Options) (*gate, error) {
	g := &gate{}
	opt.When = func(port.Tick) bool { return g.open.Load() }
	var err error
	if g.frames, err = malicious.NewFrames(c); err != nil {
		return nil, err
	}
	attacker, err := malicious.New(c, cfg, g.witness.Within(core), sign, opt)
	if err != nil {
		return nil, err
	}
	g.Core = g.witness.Around(attacker)
	return g, nil
}

// Step implements driver.Core.
func (g *gate) Step(ev port.Event) []port.Effect {
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
