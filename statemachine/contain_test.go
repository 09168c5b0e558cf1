package statemachine_test

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"tagma/statemachine"
)

func TestC9_APanicLosesItsOperationOnly(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	var seen []statemachine.Panic
	r.ObservePanics(func(p statemachine.Panic) { seen = append(seen, p) })
	r.batch(ask(1, 1, "put k first"))
	expect(t, r.batch(ask(1, 2, "put j kept", "put k second", "put-and-panic k lost", "get k", "all")),
		"executed@2[  "+statemachine.ResultPanicked+" second true j=kept k=second ]")
	if got := r.read("all"); got != "j=kept k=second " {
		t.Errorf("after the batch: %q", got)
	}
	if len(seen) != 1 || seen[0].Seq != 2 || seen[0].Value != "the script says so" || len(seen[0].Stack) == 0 {
		t.Errorf("the observer saw %v", seen)
	}
	r.root()
	if got := r.read("all"); got != "j=kept k=second " {
		t.Errorf("in the storage: %q", got)
	}
}

// C9: runtime.Goexit would end the executor's goroutine, on every replica at the same operation, and no error would be
// reported.
func TestC9_AnOperationThatEndsItsGoroutineFailsAlone(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	var seen []statemachine.Panic
	r.ObservePanics(func(p statemachine.Panic) { seen = append(seen, p) })
	r.batch(ask(1, 1, "put k first"))
	read := ask(1, 4, "exit", "get k")
	read.ReadOnly = true
	expect(t, r.batch(
		ask(1, 2, "put-and-exit k lost", "get k", "put k second", "exit"), ask(1, 3, "put-and-exit k lost"), read),
		"executed@2["+statemachine.ResultPanicked+" first true  "+statemachine.ResultPanicked+"]",
		"executed@2["+statemachine.ResultPanicked+"]", "executed@2["+statemachine.ResultPanicked+" second true]")
	if got := r.read("exit"); got != statemachine.ResultPanicked {
		t.Errorf("as a query: %q", got)
	}
	if len(seen) != 5 || seen[0].Seq != 2 || string(seen[0].Op) != "put-and-exit k lost" {
		t.Errorf("the observer saw %v", seen)
	}
	expect(t, r.batch(ask(1, 5, "all")), "executed@3[k=second ]")
}

func TestC9_APanicAfterTheFlushRestoresTheStoredValue(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	r.batch(ask(1, 1, "put k stored"))
	r.restart(flushed(r))
	r.batch(ask(1, 2, "put-and-panic k lost", "put-and-panic k lost"))
	if got := r.read("all"); got != "k=stored " {
		t.Errorf("got %q", got)
	}
}

func flushed(r *replica) uint64 {
	r.root()
	return r.Executed()
}

func TestC9_FailuresAreConstantsThatNoApplicationCanForge(t *testing.T) {
	r := newReplica(t, statemachine.Limits{MaxResultBytes: 100})
	replies := r.batch(
		ask(1, 1, "panic", "reserved", "zeros 101", "zeros 60", "zeros 60", "huge-write", "zeros 0", "get before"))
	want := []error{
		statemachine.ErrPanicked, statemachine.ErrReserved, statemachine.ErrTooLarge, nil,
		statemachine.ErrTooLarge, statemachine.ErrTooLarge, nil, nil,
	}
	for i, result := range replies[0].Results {
		if err := statemachine.Failure(result); !errors.Is(err, want[i]) {
			t.Errorf("operation %d: got %v, want %v", i, err, want[i])
		}
	}
	if got := r.read("all"); got != "" {
		t.Errorf("an operation beyond its limits wrote %q", got)
	}
}

func TestReadOnly_IsAQueryAtItsOrderedPosition(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	read := ask(1, 2, "get k", "put k b", "write")
	read.ReadOnly = true
	expect(t, r.batch(ask(1, 1, "put k a"), read, ask(1, 3, "put k c"), read),
		"executed@1[]", "executed@1[a true ? false]", "executed@1[]", "executed@1[a true ? false]")
}

func TestN1_EffectiveTimeNeverGoesBackAndANullKeepsIt(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	for i, c := range []struct {
		proposed int64
		null     bool
		want     string
	}{
		{proposed: 50, want: "50 at 1"},
		{proposed: 40, want: "50 at 2"},
		{null: true, want: "50 at 3"},
		{proposed: 60, want: "60 at 4"},
	} {
		b := statemachine.Batch{Seq: uint64(i + 1), Time: c.proposed}
		if !c.null {
			b.Requests = []statemachine.Request{ask(1, uint64(i), "time")}
		}
		for _, reply := range r.apply(b) {
			if string(reply.Results[0]) != c.want {
				t.Errorf("batch %d: executed at %q, want %q", b.Seq, reply.Results[0], c.want)
			}
		}
		if got := r.read("time"); got != c.want {
			t.Errorf("batch %d: queried %q, want %q", b.Seq, got, c.want)
		}
	}
	r.restart(flushed(r))
	if got := r.read("time"); got != "60 at 4" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestI8_NullBatchesAreNoOpsThatAdvance(t *testing.T) {
	r := newReplica(t, statemachine.Limits{})
	r.batch(ask(1, 1, "put k v"))
	before := r.root()
	r.apply(statemachine.Batch{Seq: 2})
	if after := r.root(); after != before {
		t.Error("a null batch changed the root")
	}
	if got := r.read("get k"); got != "v true" {
		t.Errorf("after the null batch k is %q", got)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "batch 4 applied after batch 2") {
			t.Errorf("a gap gave %v", p)
		}
	}()
	r.apply(statemachine.Batch{Seq: 4})
}

// broken is a storage whose reads fail when the test says so.
type broken struct {
	statemachine.Storage
	fail *error
}

type brokenView struct {
	statemachine.StorageView
	fail *error
}

func (b broken) View(at uint64) (statemachine.StorageView, error) {
	v, err := b.Storage.View(at)
	return brokenView{v, b.fail}, err
}

func (b broken) Write(sets []statemachine.WriteSet) error {
	if *b.fail != nil {
		return *b.fail
	}
	return b.Storage.Write(sets)
}

func (v brokenView) Get(key []byte) ([]byte, bool, error) {
	if *v.fail != nil {
		return nil, false, *v.fail
	}
	return v.StorageView.Get(key)
}

func (v brokenView) Scan(start, end []byte) iter.Seq2[statemachine.Entry, error] {
	if *v.fail != nil {
		return func(yield func(statemachine.Entry, error) bool) { yield(statemachine.Entry{}, *v.fail) }
	}
	return v.StorageView.Scan(start, end)
}

func (v brokenView) Walk(start, end []byte, down bool) iter.Seq2[statemachine.Entry, error] {
	if *v.fail != nil {
		return v.Scan(start, end)
	}
	return v.StorageView.Walk(start, end, down)
}

func TestD6_AStorageFailureIsNoApplicationPanicAndIsFinal(t *testing.T) {
	disk := errors.New("the disk is gone")
	for _, op := range []string{"get k", "range a z", "down a z", "count k", ""} {
		r := newReplica(t, statemachine.Limits{})
		var fail error
		s, err := statemachine.New(script{}, broken{r.store, &fail}, statemachine.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		s.ObservePanics(func(p statemachine.Panic) { t.Errorf("%q: reported as a panic: %v", op, p.Value) })
		apply := func(seq uint64, op string) error {
			_, err := s.Apply(statemachine.Batch{Seq: seq, Time: 1, Requests: []statemachine.Request{ask(1, seq, op)}})
			return err
		}
		if err := errors.Join(apply(1, "put j v"), s.Flush()); err != nil {
			t.Fatal(err)
		}
		if op == "" { // the write fails
			err = errors.Join(apply(2, "put j w"))
			fail = disk
			err = errors.Join(err, s.Flush())
		} else {
			fail = disk
			err = apply(2, op)
		}
		fail = nil
		if !errors.Is(err, disk) {
			t.Errorf("%q: got %v, want the storage's error", op, err)
		}
		if again := errors.Join(apply(s.Executed()+1, "put j v")); !errors.Is(again, disk) || !errors.Is(s.Flush(), disk) {
			t.Errorf("%q: the service went on after the failure: %v", op, again)
		}
	}
}
