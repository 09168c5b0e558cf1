package history

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
	"tagma/testnet/check"
)

// runs executes operations one after the other on a real machine and writes the history.
func runs(t *testing.T, m statemachine.Machine, ops []check.Op) []check.Call {
	t.Helper()
	service, err := statemachine.New(m, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var calls []check.Call
	for i := range ops {
		n := uint64(i + 1)
		replies, err := service.Apply(statemachine.Batch{Seq: n, Time: 1, Requests: []statemachine.Request{{
			Client: [32]byte{1}, Session: 1, T: n, AckedBelow: n, ReadOnly: ReadOnly(&ops[i]), Ops: [][]byte{Encode(&ops[i])},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := Decode(&ops[i], replies[0].Results[0])
		if err != nil {
			t.Fatalf("%+v: %v", ops[i], err)
		}
		calls = append(calls, check.Call{
			Op: ops[i], Invoked: time.Duration(2 * n), Returned: time.Duration(2*n + 1), Out: out, Known: true,
		})
	}
	return calls
}

func key(r *rand.Rand) string { return fmt.Sprintf("k%d", r.IntN(4)) }

func randomKV(r *rand.Rand, nested bool) check.Op {
	k, v := key(r), fmt.Sprintf("v%d", r.IntN(3))
	switch n := r.IntN(10); {
	case n < 4:
		return check.Op{Kind: check.Put, Key: k, Value: v}
	case n < 7 || nested:
		return check.Op{Kind: check.Get, Key: k}
	case n == 7:
		return check.Op{Kind: check.Delete, Key: k}
	default:
		op := check.Op{Kind: check.Txn, If: []check.Cond{{Key: k, Value: v}, {Key: key(r), Absent: r.IntN(2) == 0, Value: v}}}
		op.Then = []check.Op{{Kind: check.Put, Key: k, Value: "then"}, {Kind: check.Get, Key: k}}
		op.Else = []check.Op{randomKV(r, true), {Kind: check.Get, Key: key(r)}}
		return op
	}
}

func randomBank(r *rand.Rand) check.Op {
	switch r.IntN(6) {
	case 0:
		return check.Op{Kind: check.Open, Key: key(r), Amount: r.Uint64N(20)}
	case 1:
		return check.Op{Kind: check.Balance, Key: key(r)}
	case 2:
		return check.Op{Kind: check.Audit}
	default:
		from := r.IntN(4)
		return check.Op{
			Kind: check.Transfer, Key: fmt.Sprintf("k%d", from), To: fmt.Sprintf("k%d", (from+1+r.IntN(3))%4), Amount: 1 + r.Uint64N(9),
		}
	}
}

// The models give every operation the same result as the real machines, with which they share no code.
func TestModels_AgreeWithTheMachines(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		var stored, banked []check.Op
		var marks []uint64 // the batches that set them
		for batch := range uint64(200) {
			one := randomKV(r, false)
			if r.IntN(12) == 0 {
				one = check.Op{Kind: check.Revert, Key: key(r)[:r.IntN(3)]}
				if len(marks) > 0 && r.IntN(3) > 0 {
					one.Amount = marks[r.IntN(len(marks))]
					one.To = fmt.Sprint("m", one.Amount)
				}
			}
			if one.Kind == check.Put && r.IntN(4) == 0 {
				one.To = fmt.Sprint("m", batch+1)
				marks = append(marks, batch+1)
			}
			stored, banked = append(stored, one), append(banked, randomBank(r))
		}
		for name, calls := range map[string][]check.Call{"kv": runs(t, kv.Machine{History: 1000}, stored), "bank": runs(t, bank.Machine{}, banked)} {
			if res := check.Linearizable(calls, time.Minute); !res.Held || res.Checked != 200 {
				t.Fatalf("%s, seed %d: %+v", name, seed, res)
			}
			for i := range calls { // the model refuses any other answer
				if out := &calls[i].Out; out.Found {
					out.Value += "?"
					out.Version++
					out.Found = calls[i].Op.Kind == check.Get
					break
				} else if out.Refused == "" && out.Other > 0 {
					out.Other++
					break
				}
			}
			if res := check.Linearizable(calls, time.Minute); res.Held {
				t.Fatalf("%s, seed %d: a wrong answer passes", name, seed)
			}
		}
	}
}

func TestDecode_RefusesWhatIsNoResult(t *testing.T) {
	for _, kind := range []check.Kind{
		check.Put, check.Get, check.Delete, check.Txn, check.Revert, check.Open, check.Transfer, check.Balance, check.Audit, "other",
	} {
		if _, err := Decode(&check.Op{Kind: kind}, []byte("nonsense")); err == nil {
			t.Errorf("%s takes nonsense for a result", kind)
		}
	}
}
