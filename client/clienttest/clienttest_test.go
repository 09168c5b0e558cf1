package clienttest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tagma/client"
	"tagma/client/clienttest"
	"tagma/client/status"
	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

func TestClient_RunsAMachineAsAClusterDoes(t *testing.T) {
	c, ctx := clienttest.New("kv", kv.Machine{}), t.Context()
	store := kv.NewClient(c)
	w, err := store.Put(ctx, "k", []byte("a"))
	if err != nil || w.Seq != 1 {
		t.Fatalf("%+v, %v", w, err)
	}
	if _, err := store.Put(ctx, "k", []byte("b")); err != nil {
		t.Fatal(err)
	}
	if v, err := store.Get(ctx, "k"); err != nil || string(v) != "b" {
		t.Errorf("%q, %v", v, err)
	}
	if v, err := store.GetAt(ctx, "k", w.Seq); err != nil || string(v) != "a" {
		t.Errorf("the past: %q, %v", v, err)
	}
	if _, err := store.GetAt(ctx, "k", 99); !errors.Is(err, client.ErrNotExecuted) {
		t.Errorf("the future: %v", err)
	}
	c.Forget(c.Seq())
	if _, err := store.GetAt(ctx, "k", w.Seq); !errors.Is(err, client.ErrNotRetained) {
		t.Errorf("a past that is forgotten: %v", err)
	}
	if _, err := bank.NewClient(c).Audit(ctx); !errors.Is(err, statemachine.ErrWrongMachine) {
		t.Errorf("operations of another machine: %v", err)
	}
	r, err := c.DoMany(ctx, [][]byte{kv.Put([]byte("x"), nil), kv.Put([]byte("y"), nil)})
	if err != nil || len(r.Outputs) != 2 || r.Seq != c.Seq() {
		t.Errorf("two at once: %+v, %v", r, err)
	}
	if _, err := c.Query(ctx, kv.Put([]byte("z"), nil)); err != nil {
		t.Error(err)
	}
	if _, err := store.Get(ctx, "z"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("a write that was sent as a read: %v", err)
	}
}

// clock is a machine whose results contain the key of the caller and the agreed time. It panics on request.
type clock struct{}

func (clock) Apply(tx statemachine.Txn, op []byte) []byte {
	if string(op) == "panic" {
		tx.Put([]byte("k"), nil)
		panic("told to")
	}
	caller := tx.Client()
	return append([]byte(tx.Time().UTC().Format(time.DateTime)+" "), caller[0]+'0')
}

func (clock) Query(r statemachine.Reader, _ []byte) []byte {
	if _, found := r.Get([]byte("k")); found {
		return []byte("written")
	}
	return nil
}

func TestClient_TheMachineSeesCallersAndTheTestsTime(t *testing.T) {
	c, ctx := clienttest.New("clock", clock{}), t.Context()
	other := c.As([32]byte{2})
	said := func(c *clienttest.Client, want string) {
		t.Helper()
		if r, err := c.Do(ctx, nil); err != nil || string(r.Output()) != want {
			t.Errorf("%q, %v; want %q", r.Output(), err, want)
		}
	}
	said(c, "2000-01-01 00:00:00 1")
	c.Pass(time.Hour)
	said(other, "2000-01-01 01:00:00 2")
	other.SetTime(clienttest.Start) // it never goes back
	said(c, "2000-01-01 01:00:00 1")
	r, err := c.Do(ctx, []byte("panic"))
	if err != nil || !errors.Is(r.Err(0), statemachine.ErrPanicked) {
		t.Errorf("a panic: %+v, %v", r, err)
	}
	if r, err := c.Query(ctx, nil); err != nil || len(r.Output()) > 0 {
		t.Errorf("what the panic left: %q, %v", r.Output(), err)
	}
}

// begun is a machine whose first state is not empty.
type begun struct{}

func (begun) Init(tx statemachine.Txn) { tx.Put([]byte("k"), []byte("from the beginning")) }

func (b begun) Apply(tx statemachine.Txn, op []byte) []byte { return b.Query(tx, op) }

func (begun) Query(r statemachine.Reader, _ []byte) []byte {
	value, _ := r.Get([]byte("k"))
	return value
}

func TestClient_TheStateBeginsAsInANewCluster(t *testing.T) {
	result, _, err := clienttest.New("begun", begun{}).Call(t.Context(), nil, true)
	if err != nil || string(result) != "from the beginning" {
		t.Errorf("%q, %v", result, err)
	}
}

func TestInject_EachFaultIsTheClientsErrorAndTellsWhatWasExecuted(t *testing.T) {
	for name, c := range map[string]struct {
		fault    clienttest.Fault
		want     []error
		executed bool
	}{
		"not sent":         {clienttest.NotSent, []error{client.ErrNotSent}, false},
		"unknown":          {clienttest.Unknown, []error{client.ErrUnknown, context.DeadlineExceeded}, false},
		"unknown executed": {clienttest.UnknownExecuted, []error{client.ErrUnknown, context.DeadlineExceeded}, true},
		"busy":             {clienttest.Busy, []error{client.ErrBusy, client.ErrUnknown}, false},
		"busy executed":    {clienttest.BusyExecuted, []error{client.ErrBusy, client.ErrUnknown}, true},
		"unequal":          {clienttest.Unequal, []error{client.ErrUnequal, client.ErrUnknown}, true},
		"expired":          {clienttest.Expired, []error{client.ErrExpired}, false},
		"expired executed": {clienttest.ExpiredExecuted, []error{client.ErrExpired}, true},
		"refused":          {clienttest.Refused, []error{client.ErrRefused}, false},
		"conflict":         {clienttest.Conflict, []error{client.ErrConflict}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, ctx := clienttest.New("kv", kv.Machine{}), t.Context()
			store := kv.NewClient(f)
			f.Inject(func(op []byte) bool { return strings.Contains(string(op), "victim") }, c.fault)
			if _, err := store.Put(ctx, "other", nil); err != nil {
				t.Errorf("another operation fails: %v", err)
			}
			_, err := store.Put(ctx, "victim", []byte("v"))
			for _, want := range c.want {
				if !errors.Is(err, want) {
					t.Errorf("%v is no %v", err, want)
				}
			}
			if err == nil || strings.Contains(err.Error(), "\n") || f.Injected() != 0 {
				t.Errorf("%v, and %d faults are left", err, f.Injected())
			}
			_, err = store.Get(ctx, "victim")
			if executed := err == nil; executed != c.executed {
				t.Errorf("executed: %v, want %v", executed, c.executed)
			}
		})
	}
}

func TestClient_CallsEndAsTheyDoWithACluster(t *testing.T) {
	f, ctx := clienttest.New("kv", kv.Machine{}), t.Context()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := f.Do(ended, nil); !errors.Is(err, client.ErrNotSent) || !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if _, err := f.DoMany(ctx, nil); !errors.Is(err, client.ErrEmpty) {
		t.Errorf("no operations: %v", err)
	}
	if _, err := f.Do(ctx, make([]byte, 1<<20)); !errors.Is(err, client.ErrTooLarge) {
		t.Errorf("a large operation: %v", err)
	}
	if _, err := f.Do(ctx, nil, client.Under(9)); !errors.Is(err, client.ErrNotSent) {
		t.Errorf("semantics that there are not: %v", err)
	}
	f.Inject(nil, clienttest.Unknown)
	call, err := f.Submit(ctx, kv.Put([]byte("k"), nil))
	if err != nil {
		t.Fatal(err)
	}
	<-call.Done()
	if _, err := call.Wait(ctx); !errors.Is(err, client.ErrUnknown) || call.ID().Number == 0 {
		t.Errorf("a submitted one that fails: %v, request %v", err, call.ID())
	}
	f.Inject(nil, clienttest.Unknown)
	if _, err := f.QueryAt(ctx, kv.Get([]byte("k")), 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a question about the past: %v", err)
	}
	f.Inject(nil, clienttest.UnknownExecuted)
	if r, err := f.Do(ctx, kv.Put([]byte("k"), nil), client.Under(client.BestEffort)); err != nil || r.Outputs != nil {
		t.Errorf("best effort: %+v, %v", r, err)
	}
	if s, err := f.Status(ctx); err != nil || s.Err() != nil || s.MayFail != 1 || s.Replicas[2].Executed != f.Seq() {
		t.Errorf("status: %+v, %v", s, err)
	}
	f.SetStatus(&status.Status{Problem: "all is lost"})
	if s, err := f.Status(ctx); err != nil || s.Err() == nil {
		t.Errorf("a status that was set: %+v, %v", s, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Do(ctx, nil); !errors.Is(err, client.ErrClosed) || !errors.Is(err, client.ErrNotSent) {
		t.Errorf("after Close: %v", err)
	}
}
