package node

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// past returns one replica's answer to a query: which values the keys with a prefix had after a sequence number.
func (b *testbed) past(i int, prefix string, at uint64) []byte {
	b.t.Helper()
	result, err := b.nodes[i].queryUntil(nil, kv.Prefix([]byte(prefix), 0), at)
	if err != nil {
		b.t.Fatalf("replica %d on the state after %d: %v", i, at, err)
	}
	return result
}

// pairs returns the keys and values in the result of a range query.
func pairs(t *testing.T, result []byte) (all string) {
	t.Helper()
	r, err := kv.DecodeRange(result)
	if err != nil || r.More {
		t.Fatal(err, r.More)
	}
	for _, p := range r.Pairs {
		all += fmt.Sprintf("%s=%.20q ", p.Key, p.Value)
	}
	return all
}

// X, K1: the history is part of the state. A replica fetched the state, and its store holds no older version. It
// nevertheless answers reads of past states as the others do, and executes a revert as they do. The test needs its vote:
// without it no checkpoint would be stable.
func TestX_AnEmptiedReplicaTellsOfThePastAndReverts(t *testing.T) {
	t.Parallel()
	protocol := small
	protocol.History = 100_000
	b := newTestbed(t, 4, protocol)
	for i := range 4 {
		b.adjust(i, func(s *Settings) { s.SegmentBytes = minSegmentBytes })
	}
	b.startAll()
	l := b.load()
	l.put(20, 100)
	if _, err := kv.NewClient(l.c).Delete(l.ctx, "k3"); err != nil {
		t.Fatal(err)
	}
	done, err := l.c.Do(l.ctx, kv.Put([]byte("k5"), []byte("then")))
	if err != nil {
		t.Fatal(err)
	}
	then := done.Seq
	for _, k := range []string{"k3", "k5", "k21"} { // the revert deletes k3 and changes k5 back
		if _, err := kv.NewClient(l.c).Put(l.ctx, k, []byte("later")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := kv.NewClient(l.c).Delete(l.ctx, "k7"); err != nil {
		t.Fatal(err)
	}
	l.grow(0, 1, 2)
	b.halt(3)
	b.empty(3, JournalDir, StateDir)
	var v ballots
	b.start(3, v.options())
	b.until("it is filled", func([]Report) bool { return v.log.contain("the state is fetched") })
	l.put(40, 100) // until its silence is over
	b.until("its silence is over", func([]Report) bool { in := b.nodes[3].inspection(); return in.Since > 0 && !in.Silent })
	b.level(4)

	if view, err := b.nodes[3].instance.Load().disk.Store.View(then); !errors.Is(err, statemachine.ErrNotRetained) {
		if err == nil {
			view.Close()
		}
		t.Fatalf("the store of the one that was filled has the state after %d: %v", then, err)
	}
	for _, prefix := range []string{"k", "k1", "k2"} {
		told := b.past(0, prefix, then)
		for i := range b.nodes {
			if !bytes.Equal(b.past(i, prefix, then), told) {
				t.Errorf("replicas 0 and %d tell different things of %s after %d", i, prefix, then)
			}
		}
	}
	b.halt(1)
	reverted, err := kv.NewClient(l.c).Revert(l.ctx, "k", then)
	// The revert writes k5 and k7 again. It deletes k3 and the keys that were written later.
	if err != nil || reverted.Put != 2 || reverted.Deleted < 40 {
		t.Fatalf("revert: %+v, %v", reverted, err)
	}
	for range 2 * small.CheckpointInterval {
		if _, err := kv.NewClient(l.c).Put(l.ctx, "aside", nil); err != nil {
			t.Fatal(err)
		}
	}
	b.until("a state after the revert is stable", func(rs []Report) bool {
		for _, r := range rs {
			if r.StableCheckpoint < reverted.Seq || r.StateDigest != rs[0].StateDigest || r.StableCheckpoint != rs[0].StableCheckpoint {
				return false
			}
		}
		return len(rs) == 3
	})
	for _, i := range []int{0, 2, 3} {
		if was, is := pairs(t, b.past(i, "k", then)), pairs(t, b.past(i, "k", reverted.Seq)); was != is || was == "" {
			t.Errorf("replica %d: after the revert there is %s, was %s", i, is, was)
		}
	}
	scanned := ""
	for p, err := range kv.NewClient(l.c).ScanPrefixAt(l.ctx, "k", then) {
		if err != nil {
			t.Fatal(err)
		}
		scanned += fmt.Sprintf("%s=%.20q ", p.Key, p.Value)
	}
	now, err := kv.NewClient(l.c).Prefix(l.ctx, "k", 0)
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for _, p := range now.Pairs {
		found += fmt.Sprintf("%s=%.20q ", p.Key, p.Value)
	}
	if found != scanned {
		t.Errorf("the client reads %s, and of the past %s", found, scanned)
	}
	if _, err := kv.NewClient(l.c).Revert(l.ctx, "k", reverted.Seq-1); err != nil { // and back
		t.Fatal(err)
	}
	if v, err := kv.NewClient(l.c).Get(l.ctx, "k5"); err != nil || string(v) != "later" {
		t.Errorf("a revert that is reverted: %q, %v", v, err)
	}
}
