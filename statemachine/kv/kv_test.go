package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// store is a service with the machine under test. Each batch has one operation.
type store struct {
	t *testing.T
	*statemachine.Service
}

func newStore(t *testing.T) *store {
	s, err := statemachine.New(kv.Machine{}, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &store{t, s}
}

func (s *store) do(op []byte, readOnly bool) []byte {
	s.t.Helper()
	n := s.Executed() + 1
	replies, err := s.Apply(statemachine.Batch{Seq: n, Time: 1, Requests: []statemachine.Request{
		{Client: [32]byte{1}, Session: 1, T: n, AckedBelow: n, ReadOnly: readOnly, Ops: [][]byte{op}},
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	return replies[0].Results[0]
}

// word returns a result of any type as text.
func word(result []byte) string {
	if r, err := kv.DecodePut(result); err == nil {
		return fmt.Sprintf("rev %d, replaced %s", r.Revision, pair(r.Previous))
	}
	if r, err := kv.DecodeGet(result); err == nil {
		return fmt.Sprintf("rev %d, got %s", r.Revision, pair(r.Pair))
	}
	if r, err := kv.DecodeRange(result); err == nil {
		out := fmt.Sprintf("rev %d, more %t", r.Revision, r.More)
		for _, p := range r.Pairs {
			out += ", " + pair(&p)
		}
		return out
	}
	if r, err := kv.DecodeDeleteRange(result); err == nil {
		return fmt.Sprintf("rev %d, deleted %d", r.Revision, r.Deleted)
	}
	if _, err := kv.DecodeTxn(result); err == nil {
		return txnWord(result)
	}
	r, err := kv.DecodeCount(result)
	if err == nil {
		return fmt.Sprintf("rev %d, count %d", r.Revision, r.Count)
	}
	return err.Error()
}

// pair returns a pair as text: key=value, its create revision, its mod revision and its version.
func pair(p *kv.KeyValue) string {
	if p == nil {
		return "nothing"
	}
	return fmt.Sprintf("%s=%s(%d %d %d)", p.Key, p.Value, p.CreateRevision, p.ModRevision, p.Version)
}

func b(s string) []byte { return []byte(s) }

func TestModel_RevisionsAndVersionsAreEtcds(t *testing.T) {
	s := newStore(t)
	for i, step := range []struct {
		op   []byte
		want string
	}{
		{kv.Get(b("a")), "rev 0, got nothing"},
		{kv.Put(b("a"), b("1")), "rev 1, replaced nothing"},
		{kv.PutPrevious(b("a"), b("2")), "rev 2, replaced a=1(1 1 1)"},
		{kv.PutPrevious(b("b"), nil), "rev 3, replaced nothing"},
		{kv.Get(b("a")), "rev 3, got a=2(1 2 2)"},
		{kv.Get(b("b")), "rev 3, got b=(3 3 1)"},
		{kv.Put(b("ab"), b("x")), "rev 4, replaced nothing"},
		{kv.Range(b("a"), b("b"), 0), "rev 4, more false, a=2(1 2 2), ab=x(4 4 1)"},
		{kv.Range(nil, nil, 2), "rev 4, more true, a=2(1 2 2), ab=x(4 4 1)"},
		{kv.Range(nil, nil, 3), "rev 4, more false, a=2(1 2 2), ab=x(4 4 1), b=(3 3 1)"},
		{kv.Range(b("b"), b("a"), 0), "rev 4, more false"},
		{kv.Range(b("a"), b(""), 0), "rev 4, more false"},
		{kv.Prefix(b("a"), 1), "rev 4, more true, a=2(1 2 2)"},
		{kv.Count(b("a"), nil), "rev 4, count 3"},
		{kv.Count(b("a"), b("b")), "rev 4, count 2"},
		{kv.Delete(b("c")), "rev 4, deleted 0"},
		{kv.DeleteRange(b("a"), kv.PrefixEnd(b("a"))), "rev 5, deleted 2"},
		{kv.Get(b("a")), "rev 5, got nothing"},
		{kv.Put(b("a"), b("3")), "rev 6, replaced nothing"},
		{kv.Get(b("a")), "rev 6, got a=3(6 6 1)"},
		{kv.Delete(b("a")), "rev 7, deleted 1"},
		{kv.DeleteRange(nil, nil), "rev 8, deleted 1"},
		{kv.DeleteRange(nil, nil), "rev 8, deleted 0"},
	} {
		if got := word(s.do(step.op, false)); got != step.want {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

func TestLimits_RefusedOperationsGiveTheirCodeAndChangeNothing(t *testing.T) {
	s := newStore(t)
	longest, value := bytes.Repeat(b("k"), kv.MaxKeyBytes), make([]byte, kv.MaxValueBytes)
	s.do(kv.Put(longest, value), false)
	for i, c := range []struct {
		op       []byte
		readOnly bool
		want     kv.Code
	}{
		{nil, false, kv.Malformed},
		{b("\x01"), false, kv.Malformed},
		{b("\x01\x63"), false, kv.Unknown},
		{b("\x02\x01"), false, kv.Unknown},
		{append(kv.Get(b("a")), 0), false, kv.Malformed},
		{kv.Get(b("abc"))[:5], true, kv.Malformed},
		{b("\x01\x01\x02\x00\x01a\x00\x00\x00\x00"), false, kv.Malformed}, // unknown flag
		{b("\x01\x01\x00\x00\x01a\xff\xff\xff\xff"), false, kv.Malformed}, // a length beyond the end
		{b("\x01\x05\x01\x00\x01a\x00\x01b"), true, kv.Malformed},         // no end, and an end
		{kv.Put(nil, nil), false, kv.KeySize},
		{kv.Get(nil), true, kv.KeySize},
		{kv.Put(append(longest, 'x'), nil), false, kv.KeySize},
		{kv.Put(make([]byte, 1<<20), nil), false, kv.KeySize},
		{kv.Range(make([]byte, kv.MaxKeyBytes+2), nil, 0), true, kv.KeySize},
		{kv.Put(b("a"), append(value, 0)), false, kv.ValueSize},
		{kv.Put(b("a"), nil), true, kv.NotRead},
		{kv.DeleteRange(nil, nil), true, kv.NotRead},
	} {
		if _, err := kv.DecodeGet(s.do(c.op, c.readOnly)); !errors.Is(err, c.want) {
			t.Errorf("case %d: got %v, want %v", i, err, c.want)
		}
	}
	if got := word(s.do(kv.Count(nil, nil), true)); got != "rev 1, count 1" {
		t.Errorf("after the refusals: %s", got)
	}
	if got := word(s.do(kv.Delete(longest), false)); got != "rev 2, deleted 1" {
		t.Errorf("the longest key: %s", got)
	}
}

func TestLimits_RangeStopsAtItsBytesAndSaysMore(t *testing.T) {
	s := newStore(t)
	for i := range 6 {
		s.do(kv.Put(fmt.Appendf(nil, "k%d", i), make([]byte, 100<<10)), false)
	}
	r, err := kv.DecodeRange(s.do(kv.Range(nil, nil, 0), true))
	if err != nil || len(r.Pairs) != 5 || !r.More {
		t.Errorf("got %d pairs, more %t, %v; want the 5 that fit", len(r.Pairs), r.More, err)
	}
}

func TestLimits_DeleteRangeDeletesAllOrNothing(t *testing.T) {
	s := newStore(t)
	n := s.Executed() + 1
	r := statemachine.Request{Client: [32]byte{2}, Session: 1, T: 1}
	for i := range kv.MaxDeleteKeys + 1 {
		r.Ops = append(r.Ops, kv.Put(fmt.Appendf(nil, "%05d", i), nil))
	}
	if _, err := s.Apply(statemachine.Batch{Seq: n, Time: 1, Requests: []statemachine.Request{r}}); err != nil {
		t.Fatal(err)
	}
	if _, err := kv.DecodeDeleteRange(s.do(kv.DeleteRange(nil, nil), false)); !errors.Is(err, kv.TooManyKeys) {
		t.Errorf("got %v, want %v", err, kv.TooManyKeys)
	}
	if got := word(s.do(kv.DeleteRange(nil, b("10000")), false)); !strings.HasSuffix(got, "deleted 10000") {
		t.Errorf("as many as allowed: %s", got)
	}
}

func TestDecode_ForeignResultsAreErrors(t *testing.T) {
	s := newStore(t)
	get := s.do(kv.Get(b("a")), true)
	for _, result := range [][]byte{nil, get[:len(get)-1], append(bytes.Clone(get), 0), s.do(kv.Count(nil, nil), true)} {
		if _, err := kv.DecodeGet(result); !errors.Is(err, kv.ErrResult) {
			t.Errorf("result %x: got %v, want %v", result, err, kv.ErrResult)
		}
	}
	if _, err := kv.DecodePut([]byte(statemachine.ResultPanicked)); !errors.Is(err, statemachine.ErrPanicked) {
		t.Errorf("a contained panic decoded as %v", err)
	}
}

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{"a": "b", "a\xff": "b", "a\xffb": "a\xffc"} {
		if got := kv.PrefixEnd(b(prefix)); string(got) != want {
			t.Errorf("%q: got %q, want %q", prefix, got, want)
		}
	}
	if kv.PrefixEnd(nil) != nil || kv.PrefixEnd(b("\xff\xff")) != nil {
		t.Error("no key lies beyond these prefixes, so they have no end")
	}
}

// FuzzOperation: whatever a client sends, the machine answers with a result that decodes, and never panics.
func FuzzOperation(f *testing.F) {
	for _, op := range [][]byte{
		kv.Put(b("a"), b("1")), kv.PutPrevious(b("a"), b("1")), kv.Get(b("a")), kv.Range(b("a"), nil, 3),
		kv.Range(b("a"), b("b"), 0), kv.DeleteRange(b("a"), b("b")), kv.Delete(b("a")), kv.Count(nil, nil),
		kv.Txn([]kv.Compare{kv.Version(b("a"), kv.Equal, 1), kv.Value(b("b"), kv.Less, b("c"))},
			ops(kv.Put(b("a"), b("1")), kv.Get(b("a"))), ops(kv.DeleteRange(b("a"), nil), kv.Range(nil, nil, 1))),
	} {
		f.Add(op)
	}
	f.Fuzz(func(t *testing.T, op []byte) {
		s := newStore(t)
		s.ObservePanics(func(p statemachine.Panic) { t.Errorf("operation %x panicked: %v", op, p.Value) })
		s.do(kv.Put(b("a"), b("0")), false)
		for _, readOnly := range []bool{true, false, false} {
			result := s.do(op, readOnly)
			if w := word(result); strings.Contains(w, kv.ErrResult.Error()) {
				t.Errorf("operation %x gave the undecodable result %x", op, result)
			}
		}
	})
}
