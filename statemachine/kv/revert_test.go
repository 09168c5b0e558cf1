package kv_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

func TestRevert_IsOneChangeThatCanBeReverted(t *testing.T) {
	service, err := statemachine.New(kv.Machine{History: 100}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := &store{t, service}
	for i, step := range []struct {
		op   []byte
		want string
	}{
		{kv.Txn(nil, ops(kv.Put(b("u/a"), b("1")), kv.Put(b("u/b"), b("2")), kv.Put(b("v"), b("3"))), nil), ""},
		{kv.Txn(nil, ops(kv.Put(b("u/a"), b("9")), kv.Delete(b("u/b")), kv.Put(b("u/c"), b("4")), kv.Put(b("v"), b("5"))), nil), ""},
		{kv.Revert(b("u/"), 1), "rev 3, put 2, deleted 1, <nil>"},
		{nil, "rev 3, more false, u/a=1(1 3 3), u/b=2(3 3 1), v=5(1 2 2)"},
		{kv.Revert(b("u/"), 1), "rev 3, put 0, deleted 0, <nil>"},
		{kv.Revert(b("u/"), 2), "rev 4, put 2, deleted 1, <nil>"},
		{nil, "rev 4, more false, u/a=9(1 4 4), u/c=4(4 4 1), v=5(1 2 2)"},
		{kv.Revert(nil, 0), "rev 5, put 0, deleted 3, <nil>"},
		{kv.Revert(b("u/a"), 5), "rev 6, put 1, deleted 0, <nil>"},
	} {
		got := ""
		if step.op == nil {
			content, err := s.Query(kv.Range(nil, nil, 0), s.Executed())
			if err != nil {
				t.Fatal(err)
			}
			got = word(content)
		} else if result := s.do(step.op, false); len(step.want) > 0 {
			r, err := kv.DecodeRevert(result)
			got = fmt.Sprintf("rev %d, put %d, deleted %d, %v", r.Revision, r.Put, r.Deleted, err)
		}
		if got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}

func TestRevert_WhatIsRefusedChangesNothing(t *testing.T) {
	service, err := statemachine.New(kv.Machine{History: 100}, memstore.New(), statemachine.Limits{MaxRequestCost: 150_000})
	if err != nil {
		t.Fatal(err)
	}
	s := &store{t, service}
	for base := range 4 { // 12,000 keys
		for i := range 30 {
			list := make([][]byte, 100)
			for j := range list {
				list[j] = kv.Put(fmt.Appendf(nil, "n%d/%02d/%02d", base, i, j), nil)
			}
			if _, err := kv.DecodeTxn(s.do(kv.Txn(nil, list, nil), false)); err != nil {
				t.Fatal(err)
			}
		}
	}
	last := s.Executed()
	revision := word(s.do(kv.Count(nil, nil), true))
	for name, c := range map[string]struct {
		op   []byte
		want error
	}{
		"too old":                       {kv.Revert(b("n"), 0), kv.NotKept},
		"too many keys for its budget":  {kv.Revert(b("n"), last-90), kv.RevertSize},
		"the last possible number":      {kv.Revert(b("n"), 1<<64-1), kv.NotYet},
		"in a transaction":              {kv.Txn(nil, ops(kv.Revert(b("n"), 1)), nil), kv.Nested},
		"cut short":                     {kv.Revert(b("n"), 1)[:8], kv.Malformed},
		"bytes behind it":               {append(kv.Revert(b("n"), 1), 0), kv.Malformed},
		"a prefix that no key can have": {kv.Revert(make([]byte, kv.MaxKeyBytes+2), last), kv.KeySize},
	} {
		if _, err := kv.DecodeRevert(s.do(c.op, false)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := kv.DecodeRevert(s.do(kv.Revert(b("n"), s.Executed()+1), false)); !errors.Is(err, kv.NotYet) {
		t.Errorf("the state after its own batch: %v", err)
	}
	if _, err := kv.DecodeRevert(s.do(kv.Revert(b("n"), last), true)); !errors.Is(err, kv.NotRead) {
		t.Errorf("as a read: %v", err)
	}
	if got := word(s.do(kv.Count(nil, nil), true)); got != revision {
		t.Errorf("after the refusals: %s, was %s", got, revision)
	}
	for i := range 30 { // with longer prefixes, several reverts can do it
		if _, err := kv.DecodeRevert(s.do(kv.Revert(fmt.Appendf(nil, "n3/%02d", i), last-30), false)); err != nil {
			t.Fatal(err)
		}
	}
	if got := word(s.do(kv.Count(b("n3"), b("n4")), true)); !strings.HasSuffix(got, "count 0") {
		t.Errorf("reverted by parts: %s", got)
	}
}

// If a prefix has more keys, or more bytes, than one operation may change, the revert changes nothing.
func TestRevert_IsBounded(t *testing.T) {
	h := newHistorian(t, 1000)
	for i := range kv.MaxRevertKeys/100 + 1 {
		for j := range 100 {
			h.put(fmt.Sprintf("n/%03d/%02d", i, j), "v")
		}
		h.execute()
	}
	large := strings.Repeat("x", kv.MaxValueBytes)
	for i := range kv.MaxRevertBytes/kv.MaxValueBytes + 1 {
		h.put(fmt.Sprintf("large/%03d", i), large)
		h.execute()
	}
	last := h.executed()
	h.deleteRange("large/", "large0")
	h.execute()
	for _, c := range []struct {
		prefix string
		to     uint64
	}{{"n/", 0}, {"large/", last}} {
		h.plan(kv.Revert(b(c.prefix), c.to), func(_ map[string]string, result []byte) {
			if _, err := kv.DecodeRevert(result); !errors.Is(err, kv.RevertSize) {
				t.Errorf("revert %s: %v, want %v", c.prefix, err, kv.RevertSize)
			}
		})
		h.execute()
	}
	h.revert("n/1", 0)
	h.execute()
	h.revert("large/00", last)
	h.execute()
	h.flush()
	h.check(h.executed(), nil, nil, 0)
}

// A key may have one former value for each batch of the history. The search for the wanted one does not read all of
// them, neither those before it nor those after it.
func TestRevert_PassesFewFormerValuesOfAKey(t *testing.T) {
	const batches = 3000
	service, err := statemachine.New(kv.Machine{History: 2 * batches}, memstore.New(), statemachine.Limits{MaxPassedKeys: 100})
	if err != nil {
		t.Fatal(err)
	}
	s := &store{t, service}
	for i := range batches {
		s.do(kv.Txn(nil, ops(kv.Put(b("a"), fmt.Append(nil, i)), kv.Put(b("b"), fmt.Append(nil, i))), nil), false)
	}
	for _, to := range []uint64{1, batches / 2, batches - 1} {
		if r, err := kv.DecodeRevert(s.do(kv.Revert(nil, to), false)); err != nil || r.Put != 2 {
			t.Errorf("revert to %d: %+v, %v", to, r, err)
		}
		if got := word(s.do(kv.Get(b("b")), true)); !strings.Contains(got, fmt.Sprintf("b=%d(", to-1)) {
			t.Errorf("after the revert to %d: %s", to, got)
		}
	}
}
