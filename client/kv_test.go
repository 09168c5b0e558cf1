package client

import (
	"errors"
	"testing"
	"time"

	"tagma/internal/session"
	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// store makes the fake's replicas execute operations with the real key-value machine.
func (f *fake) store(t *testing.T) kv.Client { return kv.NewClient(f.serve(t, kv.Machine{})) }

// serve makes the fake's replicas execute operations with a machine.
func (f *fake) serve(t *testing.T, m statemachine.Machine) *Client {
	service, err := statemachine.New(m, memstore.New(), statemachine.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(0)
	f.execute = func(op []byte, readOnly bool) []byte {
		seq++
		request := statemachine.Request{Client: [32]byte{1}, Session: 1, T: seq, AckedBelow: seq, ReadOnly: readOnly, Ops: [][]byte{op}}
		replies, err := service.Apply(statemachine.Batch{Seq: seq, Time: 1, Requests: []statemachine.Request{request}})
		if err != nil {
			t.Fatal(err)
		}
		return replies[0].Results[0]
	}
	f.remake(func(of *session.Config) { of.Limits.OpBytes, of.Limits.TotalBytes = 1<<18, 1<<20 })
	return &Client{shell: f.s}
}

func TestKV_WhatIsPutIsReadUntilItIsDeleted(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c, ctx := f.store(t), t.Context()
		if _, err := c.Get(ctx, "k"); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("a key that does not exist gives %v", err)
		}
		for _, key := range []string{"k", "ka", "l", "m"} {
			if _, err := c.Put(ctx, key, []byte("value of "+key)); err != nil {
				t.Fatal(err)
			}
		}
		if first := f.sendings(1); !first[0].request.ReadOnly {
			t.Error("a get is not sent as a read")
		}
		if v, err := c.Get(ctx, "k"); err != nil || string(v) != "value of k" {
			t.Errorf("read %q, %v", v, err)
		}
		for name, got := range map[string]func() (kv.Page, error){
			"k ka":     func() (kv.Page, error) { return c.Prefix(ctx, "k", 0) },
			"ka l":     func() (kv.Page, error) { return c.Range(ctx, "ka", "m", 0) },
			"l m":      func() (kv.Page, error) { return c.Range(ctx, "l", "", 0) },
			"k":        func() (kv.Page, error) { return c.Range(ctx, "", "", 1) },
			"k ka l m": func() (kv.Page, error) { return c.Range(ctx, "", "", -1) },
		} {
			r, err := got()
			keys := ""
			for i, pair := range r.Pairs {
				if i > 0 {
					keys += " "
				}
				keys += string(pair.Key)
			}
			if err != nil || keys != name || r.More != (name == "k") {
				t.Errorf("got %q, more %v, %v; want %q", keys, r.More, err, name)
			}
		}
		for _, want := range []bool{true, false} {
			if r, err := c.Delete(ctx, "k"); err != nil || r.Deleted > 0 != want {
				t.Errorf("deleted: %+v, %v; want %v", r, err, want)
			}
		}
		if _, err := c.Get(ctx, "k"); !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("a deleted key gives %v", err)
		}
	})
}

func TestKV_TheMachinesRefusalReachesTheCaller(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		caller, ctx := f.serve(t, kv.Machine{}), t.Context()
		c := kv.NewClient(caller)
		if _, err := c.Put(ctx, "", nil); !errors.Is(err, kv.KeySize) {
			t.Errorf("an empty key gives %v", err)
		}
		if _, err := c.Put(ctx, "k", make([]byte, kv.MaxValueBytes+1)); !errors.Is(err, kv.ValueSize) {
			t.Errorf("a large value gives %v", err)
		}
		if _, _, err := statemachine.Ask(ctx, caller, kv.Put([]byte("k"), nil), kv.DecodePut, true); !errors.Is(err, kv.NotRead) {
			t.Errorf("a put sent as a read gives %v", err)
		}
		for i := range f.answer {
			f.set(func() { f.answer[i] = silent })
		}
		ctx, cancel := contextFor(t, time.Second)
		defer cancel()
		if _, err := c.Get(ctx, "k"); !errors.Is(err, ErrUnknown) {
			t.Errorf("without an answer: %v", err)
		}
		before := len(f.sendings(f.last()))
		<-time.After(time.Minute)
		if rounds := (len(f.sendings(f.last())) - before) / 4; rounds > int(time.Minute/slowPace) {
			t.Errorf("the request of a caller who left is sent again %d times in a minute", rounds)
		}
	})
}

func TestDoMany_HasOneOutputForEachOperation(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c := f.serve(t, kv.Machine{})
		r, err := c.DoMany(t.Context(), [][]byte{kv.Put([]byte("a"), []byte("1")), kv.Get([]byte("a"))})
		if err != nil || len(r.Outputs) != 2 || r.Seq != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if got, err := kv.DecodeGet(r.Outputs[1]); err != nil || got.Pair == nil || string(got.Pair.Value) != "1" {
			t.Errorf("the second operation does not see the first: %+v, %v", got, err)
		}
		if sent := f.sendings(1); len(sent) != 1 || sent[0].request.ReadOnly {
			t.Errorf("sent %+v, want one request that is not read-only", sent)
		}
	})
}

func TestRevert_TellsWhatItDidOrWhyNot(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c, ctx := kv.NewClient(f.serve(t, kv.Machine{History: 5})), t.Context()
		for _, value := range []string{"old", "new"} { // batches 1 and 2
			if _, err := c.Put(ctx, "k", []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := c.Revert(ctx, "k", 1); err != nil || r.Put != 1 || r.Deleted != 0 || r.Revision != 3 || r.Seq == 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if v, err := c.Get(ctx, "k"); err != nil || string(v) != "old" {
			t.Errorf("after the revert: %q, %v", v, err)
		}
		if _, err := c.Revert(ctx, "k", 50); !errors.Is(err, ErrNotExecuted) {
			t.Errorf("to a later state: %v", err)
		}
		for range 5 {
			if _, err := c.Put(ctx, "other", nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Revert(ctx, "k", 1); !errors.Is(err, ErrNotRetained) {
			t.Errorf("to a state that is too old: %v", err)
		}
	})
	withCluster(t, func(t *testing.T, f *fake) {
		if _, err := f.store(t).Revert(t.Context(), "k", 0); !errors.Is(err, kv.ErrNoHistory) {
			t.Errorf("without a history: %v", err)
		}
	})
}

// A swap writes only if the present value is the one that the caller expects. Otherwise its result says that it did
// not write.
func TestKV_SwapsWhatTheCallerExpects(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c, ctx := f.store(t), t.Context()
		for i, step := range []struct {
			old, value string
			absent     bool
			swapped    bool
		}{
			{value: "a", swapped: false}, // the key has no value; this is not the same as an empty value
			{absent: true, value: "a", swapped: true},
			{absent: true, value: "b", swapped: false},
			{old: "x", value: "b", swapped: false},
			{old: "a", value: "b", swapped: true},
		} {
			old := []byte(step.old)
			if step.absent {
				old = nil
			}
			r, err := c.CompareAndSwap(ctx, "k", old, []byte(step.value))
			if err != nil || r.Succeeded != step.swapped || r.Seq == 0 {
				t.Errorf("step %d: %+v, %v", i, r, err)
			}
		}
		pair, err := c.Pair(ctx, "k")
		if err != nil || string(pair.Value) != "b" || pair.Version != 2 || pair.ModRevision != 2 {
			t.Errorf("%+v, %v", pair, err)
		}
		w, err := c.PutPrevious(ctx, "k", []byte("c"))
		if err != nil || w.Previous == nil || string(w.Previous.Value) != "b" || w.Revision != 3 || w.Seq == 0 {
			t.Errorf("%+v, %v", w, err)
		}
	})
}

// Each swap that fails returns the present value, so that the next attempt needs no read.
func TestKV_ASwapThatFailsTellsWhatThereIs(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c, ctx := f.store(t), t.Context()
		none, err := c.Pair(ctx, "k")
		if !errors.Is(err, kv.ErrNotFound) || none.Seq == 0 || none.Revision != 0 {
			t.Errorf("nothing there: %+v, %v", none, err)
		}
		if r, err := c.SwapRevision(ctx, "k", 7, []byte("a")); err != nil || r.Succeeded || r.Current != nil {
			t.Errorf("a key that is not there: %+v, %v", r, err)
		}
		made, err := c.SwapRevision(ctx, "k", 0, []byte("a"))
		if err != nil || !made.Succeeded || made.Current != nil || made.Revision != 1 {
			t.Errorf("a new key: %+v, %v", made, err)
		}
		for name, swap := range map[string]func() (kv.Swapped, error){
			"by value":    func() (kv.Swapped, error) { return c.CompareAndSwap(ctx, "k", []byte("x"), []byte("b")) },
			"by revision": func() (kv.Swapped, error) { return c.SwapRevision(ctx, "k", 0, []byte("b")) },
			"delete":      func() (kv.Swapped, error) { return c.DeleteRevision(ctx, "k", 9) },
		} {
			r, err := swap()
			if err != nil || r.Succeeded || r.Current == nil || string(r.Current.Value) != "a" || r.Current.ModRevision != made.Revision {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
		again, err := c.SwapRevision(ctx, "k", made.Revision, []byte("a"))
		if err != nil || !again.Succeeded || again.Revision != 2 || again.Seq <= made.Seq {
			t.Errorf("the same value once more: %+v, %v", again, err)
		}
		if r, err := c.DeleteRevision(ctx, "k", made.Revision); err != nil || r.Succeeded {
			t.Errorf("the value came back, the revision did not: %+v, %v", r, err)
		}
		if n, err := c.Count(ctx, "", ""); err != nil || n.Count != 1 || n.Seq == 0 || n.Revision != 2 {
			t.Errorf("count: %+v, %v", n, err)
		}
		if r, err := c.DeleteRevision(ctx, "k", again.Revision); err != nil || !r.Succeeded {
			t.Errorf("delete: %+v, %v", r, err)
		}
		if r, err := c.DeleteRange(ctx, "a", "z"); err != nil || r.Deleted != 0 || r.Seq == 0 {
			t.Errorf("delete what is gone: %+v, %v", r, err)
		}
	})
}
