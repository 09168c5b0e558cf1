package kv_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// Without a history, every result and every stored byte is the same as before histories existed.
func TestHistory_WithoutOneTheStateIsWhatItWas(t *testing.T) {
	st := memstore.New()
	service, err := statemachine.New(kv.Machine{}, st, statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := &store{t, service}
	for i, op := range [][]byte{
		kv.Put(b("a"), b("1")), kv.Put(b("a"), b("2")), kv.Put(b("b"), nil), kv.Delete(b("a")),
		kv.Txn(nil, ops(kv.Put(b("c"), b("3")), kv.DeleteRange(b("a"), b("c"))), nil),
		kv.Revert(b("a"), 1), kv.Revert(b("a"), 1)[:5], kv.Txn(nil, ops(kv.Revert(b("a"), 1)), nil),
	} {
		if result := s.do(op, false); i >= 5 && !bytes.Equal(result, []byte{1, byte(kv.Unknown)}) {
			t.Errorf("a revert without a history: %x", result)
		}
	}
	root, err := s.Checkpoint(s.Executed())
	if err != nil {
		t.Fatal(err)
	}
	const before = "ef621c1695153a18ccc6725d7943f6b79319f5c1902776f855a3871124590f93"
	if got := hex.EncodeToString(root[:]); got != before {
		t.Errorf("the root is %s, was %s", got, before)
	}
	st.Discard(s.Executed())
	if _, err := s.Query(kv.Get(b("a")), 1); !errors.Is(err, statemachine.ErrNotRetained) {
		t.Errorf("the past without a history: %v", err)
	}
}

// spaces counts the application keys of a state by their first byte, and the bytes of their values.
func spaces(t *testing.T, st *memstore.Store, at uint64) (keys map[byte]int, size int) {
	t.Helper()
	view, err := st.View(at)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	keys = map[byte]int{}
	for e, err := range view.Scan([]byte("a"), []byte("b")) {
		if err != nil {
			t.Fatal(err)
		}
		keys[e.Key[1]]++
		size += len(e.Key) + len(e.Value)
	}
	return keys, size
}

// Former values that are too old are deleted, a few at a time. So the state does not grow with the number of changes
// ever made.
func TestHistory_WhatIsTooOldIsGivenUp(t *testing.T) {
	const history, perBatch = 10, 4
	h := newHistorian(t, history)
	most := 0
	for i := range 2000 {
		for j := range perBatch {
			h.put(fmt.Sprintf("key%d", (i*perBatch+j)%997), fmt.Sprint(i))
		}
		h.execute()
		h.flush()
		keys, _ := spaces(t, h.stored, h.executed())
		most = max(most, keys['v'])
	}
	// Each batch in the history has one former value for each key, and one of the revision. In addition there are the
	// values of the chunk that is being filled, and of the one before it.
	if limit := (history+2)*(perBatch+1) + 2*(512/13+1); most > limit {
		t.Errorf("up to %d former values of %d batches, at most %d were to be there", most, history, limit)
	}
	for i := range 200 { // these operations delete what a large operation has left
		h.put(fmt.Sprintf("many%d", i), "")
	}
	h.execute()
	h.deleteRange("many", "many~")
	h.execute()
	for range 60 {
		h.put("a", fmt.Sprint(h.executed()))
		h.execute()
	}
	h.flush()
	if keys, _ := spaces(t, h.stored, h.executed()); keys['v'] > 2*(history+2)+2*(512/11+1) || keys['q'] > 4 {
		t.Errorf("after a burst there are %v", keys)
	}
}

// A request that changes one key deletes at most one chunk, whatever other operations have left.
func TestHistory_AnOperationPaysLittleForOthers(t *testing.T) {
	h := newHistorian(t, 5)
	for i := range 250 {
		h.put(fmt.Sprintf("k%d", i), "")
	}
	h.execute()
	h.deleteRange("k", "l")
	h.execute()
	for range 40 {
		n := h.executed() + 1
		replies, err := h.tells.Apply(statemachine.Batch{Seq: n, Time: 1, Requests: []statemachine.Request{
			{Client: [32]byte{1}, Session: 2, T: n, AckedBelow: n, Ops: [][]byte{kv.Put(b("x"), nil)}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		h.states = append(h.states, nil)
		if cost := replies[0].Cost; cost > 600 {
			t.Errorf("a put cost %d", cost)
		}
	}
}

// The length of the history may be changed between two batches. If changes were made without a history, past states
// before them cannot be read.
func TestHistory_ChangesMadeWithoutOneAreAGap(t *testing.T) {
	st, last := memstore.New(), uint64(0)
	run := func(history uint64, batches ...[]byte) *store {
		t.Helper()
		service, err := statemachine.New(kv.Machine{History: history}, st, statemachine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Load(last); err != nil {
			t.Fatal(err)
		}
		s := &store{t, service}
		for _, op := range batches {
			s.do(op, false)
		}
		if err := service.Flush(); err != nil {
			t.Fatal(err)
		}
		last = service.Executed()
		st.Discard(last)
		return s
	}
	put := func(v string) []byte { return kv.Put(b("a"), b(v)) }
	told := func(s *store, at uint64) string {
		result, err := s.Query(kv.Get(b("a")), at)
		if err != nil {
			return "lost"
		}
		got, err := kv.DecodeGet(result)
		if err != nil || got.Pair == nil {
			return fmt.Sprint(err)
		}
		return string(got.Pair.Value)
	}
	s := run(100, put("1"), put("2"))
	if told(s, 1) != "1" {
		t.Errorf("with a history: %s", told(s, 1))
	}
	s = run(0, put("3"), put("4")) // batches 3 and 4
	if told(s, 1) != "lost" || told(s, 3) != "lost" {
		t.Errorf("without one: %s, %s", told(s, 1), told(s, 3))
	}
	s = run(100) // nothing was changed since
	for at := range uint64(4) {
		if at > 0 && told(s, at) != "lost" {
			t.Errorf("with one again, after %d: %s", at, told(s, at))
		}
	}
	s = run(100, put("5"), put("6")) // 5 and 6
	for at, want := range []string{1: "lost", 2: "lost", 3: "lost", 4: "4", 5: "5", 6: "6"} {
		if at > 0 && told(s, uint64(at)) != want {
			t.Errorf("with one again, after %d: %s, want %s", at, told(s, uint64(at)), want)
		}
	}
	s = run(1) // a shorter one
	if told(s, 4) != "lost" || told(s, 5) != "5" {
		t.Errorf("with a shorter one: %s, %s", told(s, 4), told(s, 5))
	}
	s = run(100)
	if _, err := kv.DecodeRevert(s.do(kv.Revert(nil, 3), false)); !errors.Is(err, kv.NotKept) {
		t.Errorf("a revert into the gap: %v", err)
	}
	if r, err := kv.DecodeRevert(s.do(kv.Revert(nil, 4), false)); err != nil || r.Put != 1 {
		t.Errorf("a revert to its end: %+v, %v", r, err)
	}
}

// With a history, a delete stores a copy of each deleted value. These copies count as bytes that the operation writes,
// which are bounded.
func TestHistory_ALargeDeleteIsRefusedAsAWhole(t *testing.T) {
	h := newHistorian(t, 10)
	large := strings.Repeat("x", kv.MaxValueBytes)
	for i := range 16<<20/kv.MaxValueBytes + 1 {
		h.put(fmt.Sprintf("k%03d", i), large)
	}
	h.execute()
	h.plan(kv.DeleteRange(b("k"), b("l")), func(_ map[string]string, result []byte) {
		if err := statemachine.Failure(result); !errors.Is(err, statemachine.ErrTooLarge) {
			t.Errorf("%v", err)
		}
	})
	h.execute()
	h.deleteRange("k", "k1")
	h.execute()
	h.flush()
	h.check(h.executed()-1, nil, nil, 0)
	h.check(h.executed(), nil, nil, 0)
	if keys := slices.Sorted(maps.Keys(h.states[h.executed()])); len(keys) == 0 || keys[0] != "k100" {
		t.Errorf("left are %q", keys)
	}
}
