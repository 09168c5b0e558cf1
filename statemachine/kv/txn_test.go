package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"tagma/statemachine/kv"
)

func ops(list ...[]byte) [][]byte { return list }

// txnWord shows a transaction's result.
func txnWord(result []byte) string {
	r, err := kv.DecodeTxn(result)
	if err != nil {
		return err.Error()
	}
	out := fmt.Sprintf("rev %d, %t", r.Revision, r.Succeeded)
	for _, one := range r.Results {
		out += "; " + word(one)
	}
	return out
}

func TestTxn_ComparesAreEtcds(t *testing.T) {
	s := newStore(t)
	s.do(kv.Put(b("other"), nil), false)
	s.do(kv.Put(b("a"), b("m")), false)
	s.do(kv.Put(b("a"), b("n")), false) // a: created 2, modified 3, version 2
	for _, c := range []struct {
		name    string
		compare kv.Compare
		want    bool
	}{
		{"version =", kv.Version(b("a"), kv.Equal, 2), true},
		{"version = not", kv.Version(b("a"), kv.Equal, 1), false},
		{"version !=", kv.Version(b("a"), kv.NotEqual, 1), true},
		{"create <", kv.CreateRevision(b("a"), kv.Less, 3), true},
		{"create < not", kv.CreateRevision(b("a"), kv.Less, 2), false},
		{"mod >", kv.ModRevision(b("a"), kv.Greater, 2), true},
		{"mod > not", kv.ModRevision(b("a"), kv.Greater, 3), false},
		{"value =", kv.Value(b("a"), kv.Equal, b("n")), true},
		{"value <", kv.Value(b("a"), kv.Less, b("na")), true},
		{"value > ", kv.Value(b("a"), kv.Greater, b("m")), true},
		{"value !=", kv.Value(b("a"), kv.NotEqual, b("n")), false},
		{"missing key has version 0", kv.Version(b("z"), kv.Equal, 0), true},
		{"missing key has mod revision 0", kv.ModRevision(b("z"), kv.Less, 1), true},
		{"missing key has create revision 0", kv.CreateRevision(b("z"), kv.NotEqual, 0), false},
		{"missing key has no value", kv.Value(b("z"), kv.Equal, nil), false},
		{"missing key has no other value", kv.Value(b("z"), kv.NotEqual, b("x")), false},
		{"an empty value is one", kv.Value(b("other"), kv.Equal, nil), true},
	} {
		r, err := kv.DecodeTxn(s.do(kv.Txn([]kv.Compare{c.compare}, nil, nil), true))
		if err != nil || r.Succeeded != c.want || r.Revision != 3 {
			t.Errorf("%s: %+v, %v; want %v", c.name, r, err, c.want)
		}
	}
	both := []kv.Compare{kv.Version(b("a"), kv.Equal, 2), kv.Version(b("z"), kv.Greater, 0)}
	if r, err := kv.DecodeTxn(s.do(kv.Txn(both, nil, nil), true)); err != nil || r.Succeeded {
		t.Errorf("one of two compares holds: %+v, %v", r, err)
	}
}

func TestTxn_OneListIsExecutedInOneRevision(t *testing.T) {
	s := newStore(t)
	absent := []kv.Compare{kv.Version(b("a"), kv.Equal, 0)}
	then := ops(kv.Get(b("a")), kv.Put(b("a"), b("1")), kv.Put(b("b"), b("2")), kv.Range(nil, nil, 0), kv.Count(nil, nil))
	orElse := ops(kv.PutPrevious(b("a"), b("3")), kv.DeleteRange(b("b"), nil), kv.Get(b("b")), kv.Get(b("a")))
	for i, step := range []struct {
		op   []byte
		want string
	}{
		{kv.Txn(absent, then, orElse), "rev 1, true; rev 0, got nothing; rev 1, replaced nothing; rev 1, replaced nothing; " +
			"rev 1, more false, a=1(1 1 1), b=2(1 1 1); rev 1, count 2"},
		{kv.Txn(absent, then, orElse), "rev 2, false; rev 2, replaced a=1(1 1 1); rev 2, deleted 1; rev 2, got nothing; " +
			"rev 2, got a=3(1 2 2)"},
		{kv.Txn(nil, ops(kv.Delete(b("b")), kv.Get(b("a"))), nil), "rev 2, true; rev 2, deleted 0; rev 2, got a=3(1 2 2)"},
		{kv.Txn(nil, nil, ops(kv.Put(b("a"), nil))), "rev 2, true"},
	} {
		if got := txnWord(s.do(step.op, false)); got != step.want {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

func TestTxn_WhatIsRefusedChangesNothing(t *testing.T) {
	s := newStore(t)
	large := make([]byte, kv.MaxValueBytes)
	for i := range 5 {
		s.do(kv.Put(fmt.Appendf(nil, "large%d", i), large), false)
	}
	put, gets := kv.Put(b("new"), nil), ops(kv.Put(b("new"), nil))
	for i := range 5 {
		gets = append(gets, kv.Get(fmt.Appendf(nil, "large%d", i)))
	}
	many := make([][]byte, kv.MaxTxnOps+1)
	for i := range many {
		many[i] = kv.Get(b("a"))
	}
	good := kv.Txn([]kv.Compare{kv.Value(b("a"), kv.Equal, b("v"))}, ops(put), ops(put))
	for name, c := range map[string]struct {
		op       []byte
		readOnly bool
		want     kv.Code
	}{
		"two puts on one key":      {kv.Txn(nil, ops(put, kv.Get(b("a")), put), nil), false, kv.DuplicateKey},
		"in the list not taken":    {kv.Txn(nil, ops(put), ops(put, put)), false, kv.DuplicateKey},
		"put, then delete":         {kv.Txn(nil, ops(put, kv.Delete(b("new"))), nil), false, kv.DuplicateKey},
		"delete a range, then put": {kv.Txn(nil, ops(kv.DeleteRange(b("m"), nil), put), nil), false, kv.DuplicateKey},
		"too many operations":      {kv.Txn(nil, many, nil), false, kv.TooManyOps},
		"too many compares":        {kv.Txn(make([]kv.Compare, kv.MaxTxnOps+1), nil, nil), false, kv.TooManyOps},
		"a transaction in it":      {kv.Txn(nil, ops(good), nil), false, kv.Nested},
		"an empty key compared":    {kv.Txn([]kv.Compare{kv.Version(nil, kv.Equal, 0)}, ops(put), nil), false, kv.KeySize},
		"a long value compared":    {kv.Txn([]kv.Compare{kv.Value(b("a"), kv.Equal, append(large, 0))}, ops(put), nil), false, kv.ValueSize},
		"an empty key put":         {kv.Txn(nil, ops(put, kv.Put(nil, nil)), nil), false, kv.KeySize},
		"an unknown operation":     {kv.Txn(nil, ops(put, b("\x01\x63")), nil), false, kv.Unknown},
		"an empty operation":       {kv.Txn(nil, ops(put, nil), nil), false, kv.Malformed},
		"no relation":              {kv.Txn([]kv.Compare{kv.Version(b("a"), 0, 0)}, ops(put), nil), false, kv.Malformed},
		"no target":                {kv.Txn([]kv.Compare{{Key: b("a"), Relation: kv.Equal}}, ops(put), nil), false, kv.Malformed},
		"cut short":                {good[:len(good)-1], false, kv.Malformed},
		"bytes behind it":          {append(bytes.Clone(good), 0), false, kv.Malformed},
		"it modifies, as a read":   {kv.Txn(nil, nil, ops(put)), true, kv.NotRead},
		"its gets are too large":   {kv.Txn(nil, gets, nil), false, kv.TxnSize},
		"its gets of its own put":  {kv.Txn(nil, ops(kv.Put(b("new"), large), kv.Get(b("new")), kv.Get(b("new")), kv.Get(b("new")), kv.Get(b("new"))), nil), false, kv.TxnSize},
	} {
		if _, err := kv.DecodeTxn(s.do(c.op, c.readOnly)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if got := word(s.do(kv.Get(b("new")), true)); got != "rev 5, got nothing" {
		t.Errorf("after the refusals: %s", got)
	}
}

// For the limit on a transaction's result, a put counts with the pair that it replaces and returns, not with the pair
// that it writes.
func TestTxn_APutIsWeighedByWhatItReplaces(t *testing.T) {
	s := newStore(t)
	large := make([]byte, kv.MaxValueBytes)
	var list [][]byte
	for i := range 5 {
		list = append(list, kv.PutPrevious(fmt.Appendf(nil, "k%d", i), large))
	}
	if r, err := kv.DecodeTxn(s.do(kv.Txn(nil, list, nil), false)); err != nil || len(r.Results) != 5 {
		t.Errorf("new keys: %d results, %v", len(r.Results), err)
	}
	if _, err := kv.DecodeTxn(s.do(kv.Txn(nil, list, nil), false)); !errors.Is(err, kv.TxnSize) {
		t.Errorf("large values are replaced: %v, want %v", err, kv.TxnSize)
	}
}

func TestTxn_RangesShareTheirLimit(t *testing.T) {
	s := newStore(t)
	for i := range 6 {
		s.do(kv.Put(fmt.Appendf(nil, "k%d", i), make([]byte, 100<<10)), false)
	}
	r, err := kv.DecodeTxn(s.do(kv.Txn(nil, ops(kv.Range(nil, nil, 0), kv.Get(b("k0")), kv.Range(nil, nil, 0)), nil), true))
	if err != nil {
		t.Fatal(err)
	}
	first, err1 := kv.DecodeRange(r.Results[0])
	last, err2 := kv.DecodeRange(r.Results[2])
	if err1 != nil || err2 != nil || len(first.Pairs) != 4 || !first.More || len(last.Pairs) != 0 || !last.More {
		t.Errorf("%d and %d pairs, more %t and %t, %v, %v", len(first.Pairs), len(last.Pairs), first.More, last.More, err1, err2)
	}
}

// A transaction has the same effect as its operations one after the other, except for the revisions.
func TestTxn_EqualsItsOperationsOneByOne(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		together, apart := newStore(t), newStore(t)
		for range 4 {
			list := randomList(random)
			if _, err := kv.DecodeTxn(together.do(kv.Txn(nil, list, nil), false)); errors.Is(err, kv.DuplicateKey) {
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			for _, op := range list {
				apart.do(op, false)
			}
		}
		if got, want := content(t, together), content(t, apart); got != want {
			t.Fatalf("seed %d: %s, want %s", seed, got, want)
		}
	}
}

func randomList(random *rand.Rand) (list [][]byte) {
	for range random.IntN(5) {
		key := []byte{'a' + byte(random.IntN(4))}
		switch random.IntN(3) {
		case 0:
			list = append(list, kv.DeleteRange(key, kv.Next(key)))
		default:
			list = append(list, kv.Put(key, fmt.Append(nil, random.IntN(9))))
		}
	}
	return list
}

func content(t *testing.T, s *store) string {
	r, err := kv.DecodeRange(s.do(kv.Range(nil, nil, 0), true))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, p := range r.Pairs {
		fmt.Fprintf(&out, "%s=%s(%d) ", p.Key, p.Value, p.Version)
	}
	return out.String()
}

func TestRange_PagesCoverARangeOnce(t *testing.T) {
	s := newStore(t)
	for _, key := range []string{"a", "a\x00", "a\x00\x00", "ab", "b"} {
		s.do(kv.Put(b(key), nil), false)
	}
	var got []string
	for start := b("a"); start != nil; {
		r, err := kv.DecodeRange(s.do(kv.Range(start, kv.PrefixEnd(b("a")), 1), true))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Pairs {
			got = append(got, string(p.Key))
		}
		start = r.Next()
	}
	if want := fmt.Sprintf("%q", []string{"a", "a\x00", "a\x00\x00", "ab"}); fmt.Sprintf("%q", got) != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
