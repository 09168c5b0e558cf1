package statemachine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/statemachine"
)

// pairs is the application's state as a sorted slice of pairs.
type pairs []statemachine.Entry

func (p *pairs) find(key string) (int, bool) {
	return slices.BinarySearchFunc(*p, key, func(e statemachine.Entry, key string) int {
		return slices.Compare(e.Key, []byte(key))
	})
}

func (p *pairs) put(key, value string) {
	i, found := p.find(key)
	if !found {
		*p = slices.Insert(*p, i, statemachine.Entry{})
	}
	(*p)[i] = statemachine.Entry{Key: []byte(key), Value: []byte(value)}
}

func (p *pairs) remove(start, end string) {
	from, _ := p.find(start)
	to, _ := p.find(end)
	*p = slices.Delete(*p, from, max(from, to))
}

// fillDown ranges over keys and puts, for each one, the key without its last letter.
func (p *pairs) fillDown(start, end string) {
	for at := end; ; {
		i, _ := p.find(at)
		if i == 0 || string((*p)[i-1].Key) < start {
			return
		}
		if at = string((*p)[i-1].Key); len(at) > 1 {
			p.put(at[:len(at)-1], "")
		}
	}
}

// text returns the result of a range in either direction as the script machine writes it.
func (p *pairs) text(start, end string, down bool) string {
	from, _ := p.find(start)
	to, _ := p.find(end)
	some := slices.Clone((*p)[from:max(from, to)])
	if down {
		slices.Reverse(some)
	}
	var out []byte
	for _, e := range some {
		out = fmt.Appendf(out, "%s=%s ", e.Key, e.Value)
	}
	return string(out)
}

// Ranges in both directions have the same result and cost as those of a sorted slice, wherever the keys are: in the
// changes of the batch itself, in a group that is being written, in changes that are not written yet, in the storage, or
// in a past state of any of these. The same is true if every deleted key is skipped, also after operations that fail.
func TestRanges_AreThoseOfASortedSliceInBothDirections(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 4))
		beside, stored := &sealer{replica: newReplica(t, statemachine.Limits{}), rng: rng}, newReplica(t, statemachine.Limits{})
		if seed%2 == 1 {
			beside.LeapFrom(1)
		}
		m, past := pairs{}, map[uint64]pairs{0: nil}
		key := func() string { return "abcdefg"[rng.IntN(7):][:1] + "abc"[:rng.IntN(4)] }
		for seq := uint64(1); seq <= 120; seq++ {
			var ops, want []string
			add := func(op, result string) { ops, want = append(ops, op), append(want, result) }
			for range 1 + rng.IntN(5) {
				switch a, b := key(), key(); rng.IntN(10) {
				case 0, 1, 2:
					m.put(a, b)
					add("put "+a+" "+b, "")
				case 3:
					m.remove(a, a+"\x00")
					add("delete "+a, "")
				case 4:
					add("range "+a+" "+b, m.text(a, b, false))
				case 5:
					add("down "+a+" "+b, m.text(a, b, true))
				case 6:
					m.remove(a, b)
					add("clear-down "+a+" "+b, "")
				case 7:
					op := []string{"put " + a + " 1", "delete " + a, "clear " + a + " " + b, "fill-down " + a + " " + b}[rng.IntN(4)]
					add("fail "+a+" "+b+" "+op, statemachine.ResultPanicked)
				case 8:
					m.remove(a, b)
					add("clear "+a+" "+b, "")
				case 9:
					m.fillDown(a, b)
					add("fill-down "+a+" "+b, "")
				}
			}
			request := acked(ask(1, seq, ops...), seq)
			reply, same := beside.batch(request)[0], stored.batch(request)[0]
			for i := range ops {
				if got := string(reply.Results[i]); got != want[i] {
					t.Fatalf("seed %d, batch %d, %s: got %q, want %q", seed, seq, ops[i], got, want[i])
				}
			}
			if show(reply) != show(same) || reply.Cost != same.Cost {
				t.Fatalf("seed %d, batch %d: %s for %d where all is stored, %s for %d", seed, seq, show(same), same.Cost, show(reply), reply.Cost)
			}
			past[seq] = slices.Clone(m)
			beside.step()
			flushed(stored)
			at, a, b := rng.Uint64N(seq+1), key(), key()
			state := past[at]
			if got, err := beside.Query([]byte("down "+a+" "+b), at); err != nil || string(got) != state.text(a, b, true) {
				t.Fatalf("seed %d: down %s %s at %d of %d: got %q, %v, want %q", seed, a, b, at, seq, got, err, state.text(a, b, true))
			}
		}
	}
}

// Random numbers are part of what replicas agree on, so they are the same in every release, whatever version of Go built
// it. Within one operation the sequence continues. Any two operations have different sequences.
func TestRand_IsTheSameOnEveryReplicaAndForEachOperationAnother(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	batch := func(time int64, requests ...statemachine.Request) []statemachine.Reply {
		return r.apply(statemachine.Batch{Seq: r.Executed() + 1, Time: time, Requests: requests})
	}
	expect(t, batch(5, ask(1, 1, "rand", "rand"), ask(1, 2, "rand")),
		"executed@1[1099330498252744901 974 [4 1 2 3 0] 0.659 7005898481289722251 999 [0 2 4 1 3] 0.807]",
		"executed@1[17524443576545860641 0 [2 3 1 0 4] 0.294]")
	expect(t, batch(5, ask(1, 3, "rand")), "executed@2[15424723261003684230 245 [0 2 3 1 4] 0.789]")
	r.restart(flushed(r))
	expect(t, batch(6, ask(1, 4, "rand")), "executed@3[14813533787679173002 12 [4 3 0 2 1] 0.798]")
}

// Seq and Index together identify an operation. Queries have an index as well. Operations of requests that are not
// executed have none.
func TestIndex_CountsTheOperationsOfTheBatchThatWereExecuted(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	query := ask(1, 3, "get a")
	query.ReadOnly = true
	expect(t, r.batch(ask(1, 1, "index", "put-and-panic a 1", "index"), ask(1, 1, "index"), query, ask(1, 4, "put-and-exit a 1", "index")),
		"executed@1[0 "+statemachine.ResultPanicked+" 2]", "conflict@1[]", "executed@1[ false]",
		"executed@1["+statemachine.ResultPanicked+" 5]")
	expect(t, r.batch(ask(1, 5, "index")), "executed@2[0]")
}
