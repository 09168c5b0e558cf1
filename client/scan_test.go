package client

import (
	"errors"
	"fmt"
	"testing"

	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

func TestKV_ATransactionChangesSeveralKeysOrNone(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c, ctx := f.store(t), t.Context()
		absent := []kv.Compare{kv.Version([]byte("a"), kv.Equal, 0)}
		then := [][]byte{kv.Put([]byte("a"), []byte("1")), kv.Put([]byte("b"), []byte("2"))}
		orElse := [][]byte{kv.Get([]byte("b"))}
		for i, want := range []bool{true, false} {
			r, err := c.Txn(ctx, absent, then, orElse)
			if err != nil || r.Succeeded != want || r.Revision != 1 || len(r.Results) != 2-i {
				t.Errorf("attempt %d: %+v, %v", i, r, err)
			}
		}
		if _, err := c.Txn(ctx, nil, append(then, then[0]), nil); !errors.Is(err, kv.DuplicateKey) {
			t.Errorf("two puts on one key: %v", err)
		}
	})
}

// scanPage is how many pairs one request of a scan reads.
const scanPage = 1000

func TestScan_ReadsARangeInPages(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		caller, ctx := f.serve(t, kv.Machine{}), t.Context()
		c := kv.NewClient(caller)
		for i := 0; i < scanPage; i += 8 {
			var ops [][]byte
			for j := range 8 {
				ops = append(ops, kv.Put(fmt.Appendf(nil, "k%05d", i+j), nil))
			}
			if _, err := caller.DoMany(ctx, ops); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range []string{"k99998", "k99999", "l"} {
			if _, err := c.Put(ctx, key, nil); err != nil {
				t.Fatal(err)
			}
		}
		last, n := "", 0
		for pair, err := range c.ScanPrefix(ctx, "k") {
			if err != nil || string(pair.Key) <= last {
				t.Fatalf("%q after %q: %v", pair.Key, last, err)
			}
			last = string(pair.Key)
			n++
		}
		if n != scanPage+2 || last != "k99999" {
			t.Errorf("%d pairs up to %q", n, last)
		}
		for _, err := range c.Scan(ctx, "", "") {
			if err != nil {
				t.Error(err)
			}
			break // a scan may end early
		}
	})
}

func TestScan_AnErrorEndsIt(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c := f.store(t)
		n := 0
		for _, err := range c.Scan(t.Context(), string(make([]byte, 2000)), "") {
			if n++; !errors.Is(err, kv.KeySize) {
				t.Errorf("a start that is too long: %v", err)
			}
		}
		if n != 1 {
			t.Errorf("%d pairs", n)
		}
	})
}

// history is a key-value service in which the batch with sequence number n set key n. The states before 3 are not
// retained.
func history(t *testing.T, states uint64) *statemachine.Service {
	store := memstore.New()
	service, err := statemachine.New(kv.Machine{}, store, statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= states; seq++ {
		op := kv.Put(fmt.Appendf(nil, "key%d", seq), fmt.Appendf(nil, "value%d", seq))
		request := statemachine.Request{Client: [32]byte{1}, Session: 1, T: seq, AckedBelow: seq, Ops: [][]byte{op}}
		if _, err := service.Apply(statemachine.Batch{Seq: seq, Time: 1, Requests: []statemachine.Request{request}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := service.Flush(); err != nil {
		t.Fatal(err)
	}
	store.Discard(3)
	return service
}

func TestC9_ThePastIsReadAsItWas(t *testing.T) {
	service := history(t, 9)
	replica := func(q *wire.Query) *wire.QueryReply {
		result, err := service.Query(q.Op, uint64(q.At))
		switch {
		case errors.Is(err, statemachine.ErrNotRetained):
			return gone(q)
		case errors.Is(err, statemachine.ErrNotExecuted):
			return ahead(q)
		case err != nil:
			t.Error(err)
		}
		return says(wire.QueryAnswered, string(result))(q)
	}
	withArchive(t, func(t *testing.T, caller *Client, _ *archive) {
		ctx, c := t.Context(), kv.NewClient(caller)
		if v, err := c.GetAt(ctx, "key5", 5); err != nil || string(v) != "value5" {
			t.Errorf("key5 after 5: %q, %v", v, err)
		}
		for at, want := range map[uint64]error{4: kv.ErrNotFound, 2: ErrNotRetained, 10: ErrNotExecuted} {
			if v, err := c.GetAt(ctx, "key5", at); !errors.Is(err, want) {
				t.Errorf("key5 after %d: %q, %v; want %v", at, v, err, want)
			}
		}
		n := 0
		for pair, err := range c.ScanPrefixAt(ctx, "key", 6) {
			if n++; err != nil || string(pair.Key) != fmt.Sprintf("key%d", n) {
				t.Errorf("pair %d after 6: %q, %v", n, pair.Key, err)
			}
		}
		if n != 6 {
			t.Errorf("%d pairs after 6", n)
		}
		for _, err := range c.ScanAt(ctx, "", "", 1) {
			if !errors.Is(err, ErrNotRetained) {
				t.Errorf("a scan of what is given up: %v", err)
			}
		}
	}, replica, replica, mute, replica)
}
