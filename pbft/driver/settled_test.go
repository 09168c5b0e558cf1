package driver

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// relaying is a core that wants to relay a request and records what it is told about it.
type relaying struct {
	req  *wire.Request
	told []port.Event
}

func (r *relaying) Anchor() []wire.Record { return nil }

func (r *relaying) Step(ev port.Event) []port.Effect {
	r.told = append(r.told, ev)
	if _, tick := ev.(port.Tick); tick {
		return []port.Effect{port.Send{To: 0, Msg: r.req}}
	}
	return nil
}

// C3, C6: a request whose session expired after a backup admitted it is never executed. So no batch would end its timer,
// and the backup would make the cluster replace a correct primary. Therefore the driver looks a request up before it is
// relayed.
func TestC3_ARequestThatIsSettledIsNotRelayed(t *testing.T) {
	req := &wire.Request{ID: wire.RequestID{Session: 1, T: 1}, Ops: [][]byte{{1}}}
	core := &relaying{req: req}
	sent, settled := 0, false
	d := New(&wire.Config{Members: make([]wire.PublicKey, 4), Self: 1}, core, Ports{
		Transport: counting{sent: &sent}, Machine: settling{settled: &settled},
	})
	turn := func(events ...port.Event) {
		if err := d.Turn(events); err != nil {
			t.Fatal(err)
		}
	}
	turn(port.Tick{})
	if sent != 1 || d.Pending() {
		t.Fatalf("%d relays of a request that waits", sent)
	}
	settled = true
	turn(port.Tick{})
	if sent != 1 || !d.Pending() {
		t.Fatalf("%d relays, the last one of a settled request", sent)
	}
	turn()
	done, ok := core.told[len(core.told)-1].(port.Executed)
	if !ok || len(done.Replies) != 1 || done.Replies[0].ID != req.ID {
		t.Fatalf("the core is told %+v", core.told[len(core.told)-1])
	}
}

type counting struct{ sent *int }

func (c counting) Send(wire.ReplicaID, []byte) { *c.sent++ }
func (c counting) Respond(*wire.Reply)         {}

type settling struct{ settled *bool }

func (s settling) Do(port.Effect) {}
func (s settling) Lookup(req *wire.Request) (*wire.Reply, bool) {
	return &wire.Reply{ID: req.ID, Outcome: wire.OutcomeExpired}, *s.settled
}
