package statemachine_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tagma/statemachine"
)

// small limits, which random batches reach.
var small = statemachine.Limits{
	Window: 8, Sessions: 3, MaxResultBytes: 200, MaxReplyCacheBytes: 500, MaxClientReplyBytes: 900,
}

// randomBatch makes requests of all kinds: duplicates, conflicts, expired ones, ones beyond the window, ones that panic,
// and ranges.
func randomBatch(rng *rand.Rand, seq uint64) statemachine.Batch {
	if rng.IntN(8) == 0 {
		return statemachine.Batch{Seq: seq}
	}
	b := statemachine.Batch{Seq: seq, Time: rng.Int64N(1000) + 1}
	for range 1 + rng.IntN(6) {
		t := seq/2 + rng.Uint64N(12)
		r := ask(1+seq/20+rng.Uint64N(4), t, randomOps(rng)...)
		r.Client[1] = byte(rng.IntN(2))
		r.AckedBelow = t - min(t, rng.Uint64N(14)) // sometimes so low that t lies beyond the window of 8
		r.ReadOnly = rng.IntN(6) == 0
		b.Requests = append(b.Requests, r)
	}
	return b
}

var words = []string{
	"put", "put", "put", "delete", "count", "put-and-panic", "get", "range", "clear", "fill", "time", "down", "clear-down", "fill-down",
}

func randomOps(rng *rand.Rand) []string {
	key := func() string { return string([]byte{'a' + byte(rng.IntN(4)), 'a' + byte(rng.IntN(4))}) }
	var ops []string
	for range 1 + rng.IntN(3) {
		op := words[rng.IntN(len(words))]
		ops = append(ops, fmt.Sprintf("%s %s %s", op, key(), key()))
	}
	return ops
}

// replies applies a batch and returns its replies as text.
func (r *replica) replies(b statemachine.Batch) string {
	r.t.Helper()
	var out []byte
	for _, reply := range r.apply(b) {
		out = fmt.Appendf(out, "%s\n", show(reply))
	}
	return string(out)
}

func TestI5_FlushesRestartsAndReExecutionDoNotShowInRepliesOrRoots(t *testing.T) {
	const batches, interval = 120, 10
	all := ""
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		eager, lazy := newReplica(t, small), newReplica(t, small)
		history := make([]statemachine.Batch, batches+1)
		replies := make([]string, batches+1)
		roots := map[uint64][32]byte{}
		for seq := uint64(1); seq <= batches; seq++ {
			history[seq] = randomBatch(rng, seq)
			replies[seq] = lazy.replies(history[seq])
			all += replies[seq]
			if got := eager.replies(history[seq]); got != replies[seq] {
				t.Fatalf("seed %d, batch %d gave\n%sunflushed, and flushed\n%s", seed, seq, replies[seq], got)
			}
			if err := eager.Flush(); err != nil {
				t.Fatal(err)
			}
			if seq%interval != 0 {
				continue
			}
			if roots[seq] = lazy.root(); roots[seq] != eager.root() {
				t.Fatalf("seed %d: roots at %d differ", seed, seq)
			}
		}
		// D5: the state is loaded at a checkpoint while the storage holds later versions, and the later batches are
		// executed again.
		at := interval * (1 + rng.Uint64N(batches/interval-1))
		eager.restart(at)
		for seq := at + 1; seq <= batches; seq++ {
			if got := eager.replies(history[seq]); got != replies[seq] {
				t.Fatalf("seed %d, batch %d gave\n%sand after a restart at %d\n%s", seed, seq, replies[seq], at, got)
			}
			if want, ok := roots[seq]; ok && eager.root() != want {
				t.Fatalf("seed %d: root at %d differs after a restart at %d", seed, seq, at)
			}
		}
	}
	for _, outcome := range []string{"executed@", "conflict@", "expired@", "refused@", statemachine.ResultPanicked} {
		if n := strings.Count(all, outcome); n < 50 {
			t.Errorf("%q occurred only %d times: the batches do not test it", outcome, n)
		}
	}
}

// model is the application's state as a map.
type model map[string]string

func (m model) text(start, end string) string {
	var out []byte
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key >= start && key < end {
			out = fmt.Appendf(out, "%s=%s ", key, m[key])
		}
	}
	return string(out)
}

func TestOverlay_ReadsAreThoseOfAPlainMapWhateverIsFlushed(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 2))
		r, m := newReplica(t, statemachine.Limits{}), model{}
		past := map[uint64]string{0: ""}
		key := func() string { return string([]byte{'a' + byte(rng.IntN(6)), 'a' + byte(rng.IntN(6))}) }
		for seq := uint64(1); seq <= 150; seq++ {
			var ops []string
			var want [][]byte
			for range 1 + rng.IntN(5) {
				a, b := key(), key()
				switch rng.IntN(6) {
				case 0, 1:
					m[a] = b
					ops, want = append(ops, "put "+a+" "+b), append(want, nil)
				case 2:
					delete(m, a)
					ops, want = append(ops, "delete "+a), append(want, nil)
				case 3:
					ops, want = append(ops, "range "+a+" "+b), append(want, []byte(m.text(a, b)))
				case 4:
					maps.DeleteFunc(m, func(k, _ string) bool { return k >= a && k < b })
					ops, want = append(ops, "clear "+a+" "+b), append(want, nil)
				case 5:
					value, found := m[a]
					ops, want = append(ops, "get "+a), append(want, fmt.Appendf(nil, "%s %t", value, found))
				}
			}
			results := r.batch(acked(ask(1, seq, ops...), seq))[0].Results
			for i := range ops {
				if !bytes.Equal(results[i], want[i]) {
					t.Fatalf("seed %d, batch %d, %s: got %q, want %q", seed, seq, ops[i], results[i], want[i])
				}
			}
			past[seq] = m.text("", "zzz")
			switch rng.IntN(12) {
			case 0:
				if err := r.Flush(); err != nil {
					t.Fatal(err)
				}
			case 1:
				r.restart(flushed(r))
			}
			at := rng.Uint64N(seq + 1)
			if got, err := r.Query([]byte("all"), at); err != nil || string(got) != past[at] {
				t.Fatalf("seed %d: at %d of %d: got %q, %v, want %q", seed, at, seq, got, err, past[at])
			}
		}
	}
}
