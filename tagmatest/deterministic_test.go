package tagmatest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// broken is a counter with one mistake, which Apply makes.
type broken struct {
	mistake func(tx statemachine.Txn, op []byte)
}

func (b broken) Apply(tx statemachine.Txn, op []byte) []byte {
	n := uint64(0)
	if v, found := tx.Get([]byte("n")); found {
		n = binary.BigEndian.Uint64(v)
	}
	tx.Put([]byte("n"), binary.BigEndian.AppendUint64(nil, n+1))
	b.mistake(tx, op)
	return b.Query(tx, op)
}

func (b broken) Query(r statemachine.Reader, _ []byte) []byte {
	v, _ := r.Get([]byte("n"))
	return v
}

// fixed returns a factory of broken machines. Their mistake needs no state.
func fixed(mistake func(statemachine.Txn, []byte)) func() statemachine.Machine {
	return func() statemachine.Machine { return broken{mistake} }
}

var adds = [][]byte{[]byte("a"), []byte("b"), []byte("c"), []byte("d"), []byte("e"), []byte("f")}

// put writes a number under a key.
func put(tx statemachine.Txn, key string, n int64) {
	tx.Put([]byte(key), binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func TestDeterministic_NamesEachMistake(t *testing.T) {
	patience = 100 * time.Millisecond
	t.Cleanup(func() { patience = 10 * time.Second })
	let := make(chan struct{}) // closed at the end of the test, so that operations that do not end can end
	t.Cleanup(func() { close(let) })
	ended := func() bool {
		select {
		case <-let:
			return true
		default:
			return false
		}
	}
	for name, c := range map[string]struct {
		machine func() statemachine.Machine
		want    string
	}{
		"a map's order": {
			fixed(func(tx statemachine.Txn, _ []byte) {
				last := ""
				// The order of the map decides which key is the last.
				for last = range map[string]int{"a": 1, "b": 2, "c": 3, "d": 4} { //nolint:revive
				}
				tx.Put([]byte("last"), []byte(last))
			}), whyRuns,
		},
		"randomness": {fixed(func(tx statemachine.Txn, _ []byte) { put(tx, "r", rand.Int64()) }), whyRuns},
		"the clock":  {fixed(func(tx statemachine.Txn, _ []byte) { put(tx, "at", time.Now().UnixNano()) }), whyClock},
		"the year of the clock": {
			fixed(func(tx statemachine.Txn, _ []byte) { put(tx, "at", int64(time.Now().Year())) }), whyClock,
		},
		"state in a field": {
			func() statemachine.Machine {
				seen := int64(0)
				return broken{func(tx statemachine.Txn, _ []byte) { seen++; put(tx, "seen", seen) }}
			}, whyField,
		},
		"a loop": {fixed(func(statemachine.Txn, []byte) {
			for !ended() {
				runtime.Gosched()
			}
		}), "does not end"},
		"a wait":              {fixed(func(statemachine.Txn, []byte) { <-let }), `the operation "a" does not end`},
		"Goexit":              {fixed(func(statemachine.Txn, []byte) { runtime.Goexit() }), "runtime.Goexit"},
		"a panic":             {fixed(func(statemachine.Txn, []byte) { panic("overdrawn") }), `the operation "a" went wrong: overdrawn`},
		"a changed operation": {fixed(func(_ statemachine.Txn, op []byte) { op[0] = 'x' }), `the operation "a" was changed`},
	} {
		t.Run(name, func(t *testing.T) {
			if why := examine(t, c.machine, copied(adds), 8); !strings.Contains(why, c.want) {
				t.Errorf("%q does not say %q", why, c.want)
			}
		})
	}
}

// copied returns copies of operations, which a machine may change.
func copied(ops [][]byte) (all [][]byte) {
	for _, op := range ops {
		all = append(all, append([]byte(nil), op...))
	}
	return all
}

// Deterministic finds no fault in kv, in bank, and in a machine that correctly uses the agreed time and the sequence
// number.
func TestDeterministic_FindsNothingInMachinesThatAre(t *testing.T) {
	Deterministic(t, fixed(func(tx statemachine.Txn, op []byte) {
		put(tx, "at", tx.Time().UnixNano())
		put(tx, "seq", int64(tx.Seq()))
		if op[0]%2 == 0 {
			tx.Delete([]byte("at"))
		}
	}), adds)
	var puts, transfers [][]byte
	for i := range 20 {
		puts = append(puts, kv.Put(fmt.Appendf(nil, "k%d", i%3), []byte("v")), kv.Get([]byte("k0")))
		transfers = append(transfers, bank.Open(fmt.Sprint("a", i), 10), bank.Transfer("a0", fmt.Sprint("a", i), 1))
	}
	Deterministic(t, func() statemachine.Machine { return kv.Machine{} }, puts)
	Deterministic(t, func() statemachine.Machine { return bank.Machine{} }, transfers)
}

// feed stores each post under the sequence number and index of its operation, and shows the three newest posts.
type feed struct{}

func (f feed) Apply(tx statemachine.Txn, op []byte) []byte {
	place := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, tx.Seq()), uint32(tx.Index()))
	tx.Put(place, fmt.Appendf(nil, "%s%d", op, tx.Rand().IntN(10)))
	return f.Query(tx, nil)
}

func (feed) Query(r statemachine.Reader, _ []byte) (newest []byte) {
	for _, post := range r.RangeDown(nil, nil) {
		if newest = append(append(newest, post...), '\n'); bytes.Count(newest, []byte{'\n'}) == 3 {
			break
		}
	}
	return newest
}

func TestDeterministic_FindsNothingInAFeedThatIsReadNewestFirst(t *testing.T) {
	newFeed := func() statemachine.Machine { return feed{} }
	Deterministic(t, newFeed, adds)
	r := &record{}
	r.run(newFeed, adds, conditions{flush: true})
	if got := string(r.results[len(adds)-1]); got != "f2\ne0\nd3\n" {
		t.Errorf("the newest posts are %q", got)
	}
}

func FuzzDeterministic(f *testing.F) {
	Fuzz(f, func() statemachine.Machine { return kv.Machine{} }, kv.Put([]byte("k"), []byte("v")), kv.Get([]byte("k")))
}
