package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Queries are answered outside the core. The core ignores both queries and their answers.
func TestC9_TheCoreHasNothingToDoWithQueries(t *testing.T) {
	c := newWireCluster(4)
	for _, m := range []wire.Message{&wire.Query{Op: []byte("get k")}, &wire.QueryReply{Outcome: wire.QueryNotRetained}} {
		r, err := New(&c.cfg, nil, Applied{})
		if err != nil {
			t.Fatal(err)
		}
		effects := r.Step(port.Received{From: port.Source{Replica: 1}, Msg: wire.Own(m)})
		if len(effects) != 1 {
			t.Fatalf("%v: %d effects, want the drop alone", wire.TypeOf(m), len(effects))
		}
		if d, ok := effects[0].(port.Dropped); !ok || d.Why != port.ReasonUnexpected {
			t.Errorf("%v: %+v", wire.TypeOf(m), effects[0])
		}
	}
}
