package tagmatest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"tagma/statemachine"
)

// counting is a workload of a counter: clients increase it, and sometimes ask for its value.
var counting = Workload{
	Next: func(r *rand.Rand) Op { return Op{Bytes: []byte{'a', byte(r.IntN(3))}, Query: r.IntN(4) == 0} },
}

func TestSimulate_ACounterAgreesWithItsModel(t *testing.T) {
	w := Workload{
		Next: func(r *rand.Rand) Op {
			if r.IntN(4) == 0 {
				return Op{Bytes: []byte("get"), Query: true}
			}
			return Op{Bytes: []byte("add")}
		},
		Model: func() func(Executed) []byte {
			n := uint64(0)
			return func(o Executed) []byte {
				if string(o.Bytes) == "add" {
					n++
				}
				if n == 0 {
					return nil
				}
				return binary.BigEndian.AppendUint64(nil, n)
			}
		},
	}
	good := fixed(func(statemachine.Txn, []byte) {})
	Simulate(t, good, w, 12)

	// The model decides what is right: a model that counts otherwise contradicts the counter.
	right := w.Model
	w.Model = func() func(Executed) []byte {
		apply, made := right(), 0
		return func(o Executed) []byte {
			if made++; made == 5 {
				return []byte("five")
			}
			return apply(o)
		}
	}
	if _, why := w.simulate(good, 1); !strings.Contains(why, `and the model says "five"`) {
		t.Errorf("%q", why)
	}
}

// The model is given what the machine sees: the caller, the batch's sequence number, and the agreed time.
func TestSimulate_AModelSeesCallerBatchAndTime(t *testing.T) {
	seen := func(client [32]byte, seq uint64, at time.Time) []byte {
		return fmt.Appendf(nil, "%x %d %d", client, seq, at.UnixNano())
	}
	w := counting
	callers := map[[32]byte]bool{}
	w.Model = func() func(Executed) []byte {
		return func(o Executed) []byte {
			if callers[o.Client] = true; o.Query {
				return nil
			}
			return seen(o.Client, o.Seq, o.Time)
		}
	}
	Simulate(t, func() statemachine.Machine { return echo(seen) }, w, 6)
	if len(callers) < 2 {
		t.Errorf("%d callers in six runs", len(callers))
	}
}

// echo is a machine that returns what it sees.
type echo func(client [32]byte, seq uint64, at time.Time) []byte

func (e echo) Apply(tx statemachine.Txn, _ []byte) []byte {
	return e(tx.Client(), tx.Seq(), tx.Time())
}

func (echo) Query(statemachine.Reader, []byte) []byte { return nil }

// Machines that are not deterministic break an invariant within a few seeds. A second run with the same seed gives the
// same report.
func TestSimulate_FindsReplicasThatDoNotAgree(t *testing.T) {
	for name, machine := range map[string]func() statemachine.Machine{
		"a map's order": fixed(func(tx statemachine.Txn, _ []byte) {
			last := ""
			// The order of the map decides which key is the last.
			for last = range map[string]int{"a": 1, "b": 2, "c": 3, "d": 4} { //nolint:revive
			}
			tx.Put([]byte("last"), []byte(last))
		}),
		"state in a field": func() statemachine.Machine {
			seen := int64(0)
			return broken{func(tx statemachine.Txn, _ []byte) { seen++; put(tx, "seen", seen) }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				if _, why := counting.simulate(machine, seed); why != "" {
					if !strings.Contains(why, "the machine is not deterministic") {
						t.Error(why)
					}
					return
				}
			}
			t.Error("20 runs found nothing")
		})
	}
}
