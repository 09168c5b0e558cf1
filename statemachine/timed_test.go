package statemachine_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"time"

	"tagma/statemachine"
)

// alarm is a machine that notes when its alarm rang.
type alarm struct {
	script
	fail string
}

func (a alarm) Tick(tx statemachine.Txn) {
	tx.Put([]byte("ticks"), fmt.Appendf(nil, "%d.%d", tx.Seq(), tx.Index()))
	switch a.fail {
	case "panic":
		panic("no")
	case "goexit":
		runtime.Goexit()
	case "limit":
		tx.Put([]byte("long"), make([]byte, 2<<20))
	}
	if at := a.Due(tx); at != 0 && at <= tx.Time().UnixNano() {
		tx.Put([]byte("rang"), fmt.Append(nil, tx.Time().UnixNano()))
		tx.Delete([]byte("alarm"))
	}
}

func (alarm) Due(r statemachine.Reader) int64 {
	b, found := r.Get([]byte("alarm"))
	if !found {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (a alarm) Apply(tx statemachine.Txn, op []byte) []byte {
	if string(op) == "index" {
		return fmt.Append(nil, tx.Index())
	}
	if len(op) == 8 {
		tx.Put([]byte("alarm"), op)
		return nil
	}
	return a.script.Apply(tx, op)
}

func setAlarm(t uint64, at int64) statemachine.Request {
	return ask(1, t, string(binary.BigEndian.AppendUint64(nil, uint64(at))))
}

func TestTimed_TicksOnceInEachBatchThatHasATime(t *testing.T) {
	r := mustRun(t, wrapped{alarm{}}, statemachine.Limits{})
	apply := func(seq uint64, at int64, q ...statemachine.Request) []statemachine.Reply {
		return r.apply(statemachine.Batch{Seq: seq, Time: at, Requests: q})
	}
	expect(t, apply(1, 100, setAlarm(1, 500), ask(1, 2, "index")), "executed@1[]", "executed@1[1]")
	if got := r.read("get ticks"); got != "1.0 true" {
		t.Errorf("ticks: %s", got)
	}
	if want := 100 + int64(statemachine.MinTickInterval); r.Due() != want {
		t.Errorf("due at %d, want %d: not sooner than the least interval", r.Due(), want)
	}
	apply(2, 0) // a null
	if got := r.read("get ticks"); got != "1.0 true" {
		t.Errorf("a null ticked: %s", got)
	}
	apply(3, 499)
	if got := r.read("get ticks") + r.read("get rang"); got != "3.0 true false" {
		t.Errorf("before the time: %q", got)
	}
	apply(4, 600)
	if got := r.read("get rang"); got != "600 true" || r.Due() != 0 {
		t.Errorf("after the time: rang %s, due %d", got, r.Due())
	}
}

func TestTimed_AFailedTickKeepsNothing(t *testing.T) {
	for _, fail := range []string{"panic", "goexit", "limit"} {
		r := mustRun(t, alarm{fail: fail}, statemachine.Limits{})
		expect(t, r.apply(statemachine.Batch{Seq: 1, Time: 100, Requests: []statemachine.Request{ask(1, 1, "put k a"), ask(1, 2, "index")}}),
			"executed@1[]", "executed@1[1]")
		if got := r.read("get ticks") + r.read("get long"); got != " false false" {
			t.Errorf("%s: %q", fail, got)
		}
	}
}

func TestTimed_WhatIsDueIsKnownAfterALoad(t *testing.T) {
	r := mustRun(t, alarm{}, statemachine.Limits{})
	r.apply(statemachine.Batch{Seq: 1, Time: 100, Requests: []statemachine.Request{setAlarm(1, int64(time.Hour))}})
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	again, err := runs(t, alarm{}, statemachine.Limits{}, r.store, 1)
	if err != nil || again.Due() != int64(time.Hour) {
		t.Fatalf("due at %d after a load, %v", again.Due(), err)
	}
	if err := again.Load(0); err != nil || again.Due() != 0 {
		t.Fatalf("due at %d in the first state, %v", again.Due(), err)
	}
	if fresh := mustRun(t, script{}, statemachine.Limits{}); fresh.Due() != 0 {
		t.Fatal("a machine without a Tick waits for something")
	}
}
