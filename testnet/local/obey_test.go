package local

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	malicious "tagma/testnet/byzantine/replica"
)

// broadcaster is a core that answers every tick with one broadcast.
type broadcaster struct{ last port.Event }

func (m *broadcaster) Step(ev port.Event) []port.Effect {
	if _, is := ev.(port.Tick); !is {
		return nil
	}
	m.last = ev
	return []port.Effect{port.Broadcast{Msg: &wire.Heartbeat{View: 1}}}
}

func (*broadcaster) Anchor() []wire.Record { return nil }

func openGate(t *testing.T, c byzantine.Choice) (*gate, *broadcaster) {
	t.Helper()
	core := new(broadcaster)
	cfg := &wire.Config{Members: make([]wire.PublicKey, 4), Self: 3}
	g, err := newGate(&behaviour{choice: c}, cfg, core, func([]byte) wire.Signature { return wire.Signature{} }, malicious.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g, core
}

func TestGate_CountsWhatIsKeptBackAndOnlyWhileItIsOpen(t *testing.T) {
	g, _ := openGate(t, byzantine.Choice{Name: "silent"})
	tick := port.Tick{Mono: time.Second}
	if out := g.Step(tick); len(out) != 1 || g.lies.Load() != 0 {
		t.Errorf("asleep it says %v and counts %d lies", out, g.lies.Load())
	}
	g.open.Store(true)
	if out := g.Step(tick); len(out) != 0 || g.lies.Load() == 0 {
		t.Errorf("awake it says %v and counts %d lies", out, g.lies.Load())
	}
}

func TestGate_CountsAWrongTime(t *testing.T) {
	g, core := openGate(t, byzantine.Choice{Name: "clock-skew", Values: map[string]string{"by": "1h"}})
	g.open.Store(true)
	g.Step(port.Tick{Mono: time.Second, Wall: 5})
	if got := core.last.(port.Tick); got.Wall == 5 || g.lies.Load() == 0 {
		t.Errorf("the core is told %+v, and that counts as %d lies", got, g.lies.Load())
	}
}
