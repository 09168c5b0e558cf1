package kv_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// logged is a store at version 2 that keeps everything until somebody compacts.
func logged(t *testing.T, st *memstore.Store, m kv.Machine) *store {
	t.Helper()
	s, err := statemachine.New(m, st, statemachine.Limits{FirstVersion: state2, MaxRequestCost: statemachine.DefaultMaxRequestCost})
	if err != nil {
		t.Fatal(err)
	}
	return &store{t, s}
}

// An empty store is at revision 1, as etcd's, and the first change makes revision 2.
func TestRevision_AnEmptyStoreIsAtOne(t *testing.T) {
	s := logged(t, memstore.New(), kv.Machine{Keep: kv.Keep{All: true}})
	if got, err := kv.DecodeGet(s.do(kv.Get(b("a")), true)); err != nil || got.Revision != 1 {
		t.Fatal(got, err)
	}
	if got, err := kv.DecodePut(s.do(kv.Put(b("a"), b("1")), false)); err != nil || got.Revision != 2 {
		t.Fatal(got, err)
	}
	got, err := kv.DecodeGet(s.do(kv.AtRevision(1, kv.Get(b("a"))), true))
	if err != nil || got.Revision != 1 || got.Pair != nil {
		t.Fatal(got, err)
	}
}

// Every revision of a batch can be read, and not only the last.
func TestAtRevision_ReadsRevisionsWithinABatch(t *testing.T) {
	s := logged(t, memstore.New(), kv.Machine{Keep: kv.Keep{All: true}})
	batch := statemachine.Batch{Seq: 1, Time: 1}
	batch.Requests = []statemachine.Request{{Client: [32]byte{1}, Session: 1, T: 1, Ops: [][]byte{
		kv.Put(b("a"), b("1")), kv.Put(b("a"), b("2")), kv.Delete(b("a")), kv.Put(b("a"), b("4")),
	}}}
	if _, err := s.Apply(batch); err != nil {
		t.Fatal(err)
	}
	for rev, want := range map[uint64]string{1: "", 2: "1", 3: "2", 4: "", 5: "4"} {
		result, err := s.Query(kv.AtRevision(rev, kv.Get(b("a"))), 1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := kv.DecodeGet(result)
		switch {
		case err != nil:
			t.Fatal(err)
		case got.Revision != rev, (got.Pair == nil) != (want == ""), got.Pair != nil && string(got.Pair.Value) != want:
			t.Errorf("revision %d: %+v, want %q", rev, got, want)
		}
	}
}

// What is read at a revision modifies nothing, and does not nest.
func TestAtRevision_RefusesWhatIsNotARead(t *testing.T) {
	s := logged(t, memstore.New(), kv.Machine{Keep: kv.Keep{All: true}})
	for want, op := range map[kv.Code][]byte{
		kv.NotRead: kv.AtRevision(1, kv.Put(b("a"), b("1"))), kv.Malformed: kv.AtRevision(1, kv.Get(b("a")))[:9],
		kv.NotYetRevision: kv.AtRevision(2, kv.Get(b("a"))), kv.Nested: kv.Txn(nil, ops(kv.AtRevision(1, kv.Get(b("a")))), nil),
	} {
		if _, err := kv.DecodeGet(s.do(op, false)); !errors.Is(err, want) {
			t.Errorf("%x: %v, want %v", op, err, want)
		}
	}
	bare := logged(t, memstore.New(), kv.Machine{})
	for _, op := range [][]byte{kv.AtRevision(1, kv.Get(b("a"))), kv.Compact(1), kv.Revert(b("a"), 0)} {
		if _, err := kv.DecodeGet(bare.do(op, false)); !errors.Is(err, kv.Unknown) {
			t.Errorf("without a history: %v", err)
		}
	}
}

// A compaction answers at once and is told from then on; what it frees goes with later operations, a few chunks each.
func TestCompact_FreesLittleByLittle(t *testing.T) {
	st := memstore.New()
	s := logged(t, st, kv.Machine{Keep: kv.Keep{All: true}})
	for i := range 3000 {
		s.do(kv.Put(b(fmt.Sprint("k", i%50)), bytes.Repeat([]byte{1}, 100)), false)
	}
	chunks := func() int {
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		keys, _ := spaces(t, st, s.Executed())
		return keys['e']
	}
	before := chunks()
	if got, err := kv.DecodeCompact(s.do(kv.Compact(2900), false)); err != nil || got.Revision != 3001 {
		t.Fatal(got, err)
	}
	var gone *kv.Compacted
	if _, err := kv.DecodeGet(s.do(kv.AtRevision(2899, kv.Get(b("k1"))), true)); !errors.As(err, &gone) || gone.Oldest != 2900 {
		t.Fatalf("below the compaction: %v", err)
	}
	if _, err := kv.DecodeCompact(s.do(kv.Compact(2900), false)); !errors.As(err, &gone) {
		t.Fatalf("compacted twice: %v", err)
	}
	if after := chunks(); before-after > 8 {
		t.Errorf("the compaction deleted %d chunks at once", before-after)
	}
	last := chunks()
	for i := range 3000 {
		s.do(kv.Put(b(fmt.Sprint("k", i%50)), bytes.Repeat([]byte{1}, 100)), false)
		now := chunks()
		if last-now > 4 {
			t.Fatalf("one put deleted %d chunks", last-now)
		}
		last = now
	}
	if _, err := kv.DecodeCompact(s.do(kv.Compact(6001), false)); err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		s.do(kv.Put(b(fmt.Sprint("k", i%50)), bytes.Repeat([]byte{1}, 100)), false)
	}
	for n := 0; n < 2000 && chunks() > 300; n++ {
		s.do(kv.Put(b("k1"), bytes.Repeat([]byte{1}, 100)), false)
	}
	if left := chunks(); left > 300 {
		t.Errorf("%d chunks are left of %d", left, before)
	}
}

// The largest delete fits an operation's budget with a history.
func TestLog_TheLargestDeleteIsOneOperation(t *testing.T) {
	s := logged(t, memstore.New(), kv.Machine{Keep: kv.Keep{All: true}})
	var puts [][]byte
	for i := range kv.MaxDeleteKeys {
		puts = append(puts, kv.Put(b(fmt.Sprintf("key%06d", i)), bytes.Repeat([]byte{1}, 200)))
	}
	for len(puts) > 0 {
		n := min(len(puts), 100)
		s.do(kv.Txn(nil, puts[:n], nil), false)
		puts = puts[n:]
	}
	rev := uint64(1 + kv.MaxDeleteKeys/100)
	if got, err := kv.DecodeDeleteRange(s.do(kv.DeleteRange(b("k"), b("l")), false)); err != nil || got.Deleted != kv.MaxDeleteKeys {
		t.Fatal(got.Deleted, err)
	}
	got, err := kv.DecodeCount(s.do(kv.AtRevision(rev, kv.Count(b("k"), b("l"))), true))
	if err != nil || got.Count != kv.MaxDeleteKeys {
		t.Fatal(got, err)
	}
}

// A state of version 1 becomes one of version 2 in one small operation. The history begins there; the old one is deleted by
// later operations, and the pairs stay.
func TestMigrate_TheHistoryBeginsAnewAndTheOldOneGoes(t *testing.T) {
	for _, m := range []kv.Machine{{}, {History: 100}, {History: 100, Keep: kv.Keep{Revisions: 1000}}, {Keep: kv.Keep{All: true}}} {
		st := memstore.New()
		service, err := statemachine.New(m, st, statemachine.Limits{Administrators: [][32]byte{{1}}})
		if err != nil {
			t.Fatal(err)
		}
		s := &store{t, service}
		for i := range 500 {
			s.do(kv.Put(b(fmt.Sprint("k", i%7)), b(fmt.Sprint(i))), false)
		}
		if result := s.do(statemachine.Upgrade(2), false); len(result) > 0 {
			t.Fatalf("upgrade: %q", result)
		}
		at := s.Executed()
		keeps := m.History > 0 || m.Keep != (kv.Keep{})
		result := s.do(kv.AtRevision(500, kv.Get(b("k1"))), true)
		if got, err := kv.DecodeGet(result); keeps && (err != nil || string(got.Pair.Value) != "498") {
			t.Fatal(got, err)
		}
		var gone *kv.Compacted
		if _, err := kv.DecodeGet(s.do(kv.AtRevision(499, kv.Get(b("k1"))), true)); keeps && (!errors.As(err, &gone) || gone.Oldest != 500) {
			t.Fatal("before the migration:", err)
		}
		for i := range 800 {
			s.do(kv.Put(b(fmt.Sprint("k", i%7)), b(fmt.Sprint("new", i))), false)
			if i == 50 && keeps {
				result, err := s.Query(kv.Get(b("k1")), at)
				if got, bad := kv.DecodeGet(result); err != nil || bad != nil || string(got.Pair.Value) != "498" {
					t.Fatal("the state of the migration:", got, err, bad)
				}
			}
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		keys, _ := spaces(t, st, s.Executed())
		if keys['v']+keys['q']+keys['h'] > 0 {
			t.Errorf("%+v: of the old history there are %d former values, %d chunks and %d heads left", m, keys['v'], keys['q'], keys['h'])
		}
		if got, err := kv.DecodeGet(s.do(kv.Get(b("k1")), true)); err != nil || got.Revision != 1300 || string(got.Pair.Value) != "new799" {
			t.Fatal(got, err)
		}
	}
}
