package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// historian has a service with a history, and a second service whose storage keeps all states. Past states that the
// first one answers from its history are compared with those that the second one reads, and with a simple model that
// holds every state.
type historian struct {
	t       *testing.T
	history uint64
	tells   *statemachine.Service
	stored  *memstore.Store
	reads   *statemachine.Service
	states  []map[string]string // by sequence number
	flushed uint64              // the storage has discarded the states below this sequence number
	batch   []func(state map[string]string, result []byte)
	ops     [][]byte
}

func newHistorian(t *testing.T, history uint64) *historian {
	h := &historian{t: t, history: history, stored: memstore.New(), states: []map[string]string{{}}}
	h.tells = h.service(h.stored)
	h.reads = h.service(memstore.New())
	return h
}

func (h *historian) service(st statemachine.Storage) *statemachine.Service {
	s, err := statemachine.New(kv.Machine{History: h.history}, st, statemachine.Limits{})
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *historian) executed() uint64 { return uint64(len(h.states)) - 1 }

// plan adds an operation to the next batch. model does the same to the model's state and checks the result.
func (h *historian) plan(op []byte, model func(state map[string]string, result []byte)) {
	h.ops, h.batch = append(h.ops, op), append(h.batch, model)
}

// execute executes the batch, with each operation as a request of its own, and compares the states.
func (h *historian) execute() {
	h.t.Helper()
	n := h.executed() + 1
	b := statemachine.Batch{Seq: n, Time: int64(n)}
	for i, op := range h.ops {
		t := n<<8 | uint64(i)
		b.Requests = append(b.Requests, statemachine.Request{Client: [32]byte{1}, Session: 1, T: t, AckedBelow: t, Ops: [][]byte{op}})
	}
	replies, err := h.tells.Apply(b)
	if _, also := h.reads.Apply(b); err != nil || also != nil {
		h.t.Fatal(err, also)
	}
	state := maps.Clone(h.states[n-1])
	for i, model := range h.batch {
		model(state, replies[i].Results[0])
	}
	h.states, h.ops, h.batch = append(h.states, state), nil, nil
}

// flush writes the executed batches, and makes the storage discard every state except the newest.
func (h *historian) flush() {
	h.t.Helper()
	if err := errors.Join(h.tells.Flush(), h.reads.Flush()); err != nil {
		h.t.Fatal(err)
	}
	h.flushed = h.executed()
	h.stored.Discard(h.flushed)
}

func (h *historian) put(key, value string) {
	h.plan(kv.Put(b(key), b(value)), func(state map[string]string, _ []byte) { state[key] = value })
}

func (h *historian) deleteRange(start, end string) {
	h.plan(kv.DeleteRange(b(start), b(end)), func(state map[string]string, _ []byte) {
		maps.DeleteFunc(state, func(k, _ string) bool { return k >= start && k < end })
	})
}

func (h *historian) revert(prefix string, to uint64) {
	n := h.executed() + 1
	h.plan(kv.Revert(b(prefix), to), func(state map[string]string, result []byte) {
		h.t.Helper()
		r, err := kv.DecodeRevert(result)
		var want error
		switch newest := n - 1; {
		case to > newest:
			want = kv.NotYet
		case newest-to > h.history:
			want = kv.NotKept
		}
		if want != nil || err != nil {
			if !errors.Is(err, want) {
				h.t.Fatalf("revert %q at %d to %d: %v, want %v", prefix, n, to, err, want)
			}
			return
		}
		put, deleted := uint64(0), uint64(0)
		for k, v := range h.states[to] {
			if now, found := state[k]; strings.HasPrefix(k, prefix) && (!found || now != v) {
				state[k], put = v, put+1
			}
		}
		for k := range state {
			if _, found := h.states[to][k]; strings.HasPrefix(k, prefix) && !found {
				delete(state, k)
				deleted++
			}
		}
		if r.Put != put || r.Deleted != deleted {
			h.t.Fatalf("revert %q at %d to %d: %d put and %d deleted, want %d and %d", prefix, n, to, r.Put, r.Deleted, put, deleted)
		}
	})
}

// check compares three answers about the state after a sequence number: from the history, from the storage of the second
// service, and from the model.
func (h *historian) check(at uint64, start, end []byte, limit uint32) {
	h.t.Helper()
	op := kv.Txn([]kv.Compare{kv.Version(b("a"), kv.Greater, 0)}, ops(kv.Range(start, end, limit), kv.Count(start, end)),
		ops(kv.Get(b("a\x00")), kv.Range(start, end, limit)))
	told, err := h.tells.Query(op, at)
	if kept := at == 0 || at >= h.flushed || h.executed()-at <= h.history; !kept || err != nil {
		if kept || !errors.Is(err, statemachine.ErrNotRetained) {
			h.t.Fatalf("the state after %d of %d: %v", at, h.executed(), err)
		}
		return
	}
	read, err := h.reads.Query(op, at)
	if err != nil || !bytes.Equal(told, read) {
		h.t.Fatalf("the state after %d of %d: told %s, read %s, %v", at, h.executed(), word(told), word(read), err)
	}
	got := map[string]string{}
	for from := []byte{0}; from != nil; {
		told, err := h.tells.Query(kv.Range(from, nil, 0), at)
		if err != nil {
			h.t.Fatal(err)
		}
		page, err := kv.DecodeRange(told)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, p := range page.Pairs {
			got[string(p.Key)] = string(p.Value)
		}
		from = page.Next()
	}
	if want := h.states[at]; !maps.Equal(got, want) {
		h.t.Fatalf("the state after %d of %d: told %q, was %q", at, h.executed(), slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// Some of these keys are prefixes of others, and some contain the bytes that are escaped.
var historyKeys = []string{"a", "a\x00", "a\x00\x00", "a\x00\x01", "a\x00\xff", "a\x01", "ab", "b", "b\xff", "\x00", "\xff\xff"}

// play executes the operations that the bytes of a script encode, and checks the past states after each step.
func play(t *testing.T, history uint64, script []byte) {
	h := newHistorian(t, history)
	next := func(n int) int {
		if len(script) == 0 {
			return 0
		}
		c := int(script[0]) % n
		script = script[1:]
		return c
	}
	key := func() string { return historyKeys[next(len(historyKeys))] }
	for len(script) > 0 {
		switch next(8) {
		case 0, 1, 2:
			h.put(key(), fmt.Sprint(next(3)))
		case 3:
			k := key()
			h.deleteRange(k, k+"\x00")
		case 4:
			h.deleteRange(key(), key())
		case 5:
			to := h.executed() + 1 - min(uint64(next(8)), h.executed()+1)
			k := key()
			h.revert(k[:next(len(k)+1)], to)
		case 6:
			h.execute()
			at := h.executed() - min(uint64(next(12)), h.executed())
			h.check(at, b(key()), b(key()), uint32(next(4)))
		default:
			h.execute()
			h.flush()
		}
		if len(h.ops) == 200 {
			h.execute()
		}
	}
	h.execute()
	h.flush()
	for at := range h.executed() + 1 {
		h.check(at, nil, nil, 0)
	}
}

func TestHistory_TellsWhatAStorageOfAllStatesReads(t *testing.T) {
	for seed := range uint64(120) {
		random := rand.New(rand.NewPCG(seed, 0))
		script := make([]byte, 1+random.IntN(2000))
		for i := range script {
			script[i] = byte(random.Uint32())
		}
		play(t, 1+seed%20, script)
	}
}

func FuzzHistory(f *testing.F) {
	f.Add(uint8(1), []byte{0, 0, 1, 6, 3, 0, 5, 1, 1, 7})
	f.Add(uint8(9), []byte("put delete revert flush, and look back"))
	f.Fuzz(func(t *testing.T, history uint8, script []byte) {
		play(t, 1+uint64(history), script[:min(len(script), 4000)])
	})
}
