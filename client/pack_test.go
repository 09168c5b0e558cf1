package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// packing switches packing on, with this many requests in flight and a window of 64.
func (f *fake) packing(inFlight int) {
	f.remake(func(of *session.Config) { of.Limits = limits(64).Choose(0, inFlight) })
}

// together submits the operations at the same time, each by a caller of its own, and returns when all are answered.
func (f *fake) together(ops []string, o session.Kind) {
	var asking sync.WaitGroup
	for _, op := range ops {
		asking.Go(func() {
			r, err := f.s.do(f.t.Context(), [][]byte{[]byte(op)}, o)
			if err != nil || len(r.Outputs) != 1 || string(r.Output()) != "did "+op {
				f.t.Errorf("%s: %q, %v", op, r.Outputs, err)
			}
		})
	}
	asking.Wait()
}

func numbered(n int) (ops []string) {
	for i := range n {
		ops = append(ops, fmt.Sprint("op ", i))
	}
	return ops
}

// waiting counts the calls in line.
func (f *fake) waiting() int {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	return f.s.core.Waiting()
}

// packs returns how many operations each sent request had, in the order of the requests' numbers.
func (f *fake) packs() (sizes []int) {
	for t := uint64(1); ; t++ {
		sent := f.sendings(t)
		if len(sent) == 0 {
			return sizes
		}
		sizes = append(sizes, len(sent[0].request.Ops))
	}
}

func TestPack_ALoneOperationGoesOutAtOnce(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(2)
		start := time.Now()
		if _, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{}); err != nil {
			t.Fatal(err)
		}
		if sent := f.sendings(1); len(sent) != 1 || sent[0].at != start { // the goroutine that sends has not run yet
			t.Errorf("sent %v", sent)
		}
	})
}

func TestPack_WhatWaitsTogetherSharesARequestAndEachGetsItsOwnResult(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		f.together(numbered(17), session.Kind{})
		if sizes := f.packs(); !slices.Equal(sizes, []int{1, 8, 8}) {
			t.Errorf("17 operations went out as %v, want one at once and the others packed", sizes)
		}
	})
}

func TestPack_NoMoreThanTheGivenRequestsAreInFlight(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(3)
		for i := range f.answer {
			f.answer[i] = silent
		}
		for range 50 {
			go func() { _, _ = f.ask("a", time.Minute) }()
		}
		synctest.Wait()
		if sizes := f.packs(); len(sizes) != 3 {
			t.Errorf("%v under way, want 3 requests", sizes)
		}
		f.heal()
		<-time.After(time.Minute)
	})
}

// An operation that is never packed does not wait behind operations that wait to be packed. Such operations have a
// bound of their own, and do not delay the others.
func TestPack_RequestsOfSeveralOperationsDoNotWaitToBePacked(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.remake(func(of *session.Config) { of.Limits = limits(1024).Choose(0, 0) })
		for i := range f.answer {
			f.answer[i] = silent
		}
		for range 100 {
			go func() {
				o, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, _ = f.s.do(o, [][]byte{[]byte("a"), []byte("b")}, session.Kind{})
			}()
		}
		synctest.Wait()
		if n := len(f.packs()); n != mostAlone {
			t.Errorf("%d requests under way, want %d", n, mostAlone)
		}
		f.heal()
		f.together(numbered(20), session.Kind{})
		<-time.After(time.Minute)
	})
}

func TestPack_KeepsReadsAndSemanticsApart(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		var asking sync.WaitGroup
		asking.Go(func() { f.together([]string{"first"}, session.Kind{}) })
		synctest.Wait()
		for _, o := range []session.Kind{{}, {ReadOnly: true}, {Semantics: session.AtMostOnce}} {
			asking.Go(func() { f.together(numbered(3), o) })
			synctest.Wait()
		}
		asking.Wait()
		if sizes := f.packs(); !slices.Equal(sizes, []int{1, 3, 3, 3}) {
			t.Errorf("requests of %v", sizes)
		}
		if !f.sendings(3)[0].request.ReadOnly || f.sendings(2)[0].request.ReadOnly {
			t.Error("a read shares a request with an operation that modifies")
		}
	})
}

func TestPack_DoManyStaysARequestOfItsOwn(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		var asking sync.WaitGroup
		asking.Go(func() { f.together(numbered(3), session.Kind{}) })
		synctest.Wait()
		many := [][]byte{[]byte("m1"), []byte("m2")}
		r, err := f.s.do(t.Context(), many, session.Kind{})
		if err != nil || len(r.Outputs) != 2 || string(r.Outputs[1]) != "did m2" {
			t.Errorf("%q, %v", r.Outputs, err)
		}
		asking.Wait()
		if sizes := f.packs(); !slices.Equal(sizes, []int{1, 2, 2}) {
			t.Errorf("requests of %v", sizes)
		}
	})
}

func TestPack_StaysWithinTheBytesOfARequest(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		long := strings.Repeat("x", 90)
		ops := slices.Repeat([]string{long}, 30)
		f.together(ops, session.Kind{})
		for number := range f.packs() {
			r := f.sendings(uint64(number + 1))[0].request
			if r.Size() > f.limits().TotalBytes {
				t.Errorf("request %d has %d bytes, above %d", number+1, r.Size(), f.limits().TotalBytes)
			}
		}
	})
}

// If there is no room for the result of one operation beside the others, that operation changes nothing, and is sent
// again in a request of its own.
func TestPack_AResultThatIsCrowdedOutIsAskedForAlone(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		crowded := true // of the packed operations, the second has no room for its result
		f.execute = func(op []byte, _ bool) []byte {
			if string(op) == "op 2" && crowded {
				crowded = false
				return []byte(statemachine.ResultTooLarge)
			}
			return append([]byte("did "), op...)
		}
		var asking sync.WaitGroup
		for _, op := range numbered(4) {
			asking.Go(func() { f.together([]string{op}, session.Kind{}) })
			synctest.Wait()
		}
		asking.Wait()
		if sizes := f.packs(); !slices.Equal(sizes, []int{1, 3, 1}) || string(f.sendings(3)[0].request.Ops[0]) != "op 2" {
			t.Errorf("requests of %v", sizes)
		}
	})
}

func TestPack_AResultThatIsTooLargeAloneIsTheOutcome(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		f.execute = func([]byte, bool) []byte { return []byte(statemachine.ResultTooLarge) }
		var asking sync.WaitGroup
		for range 3 {
			asking.Go(func() {
				r, err := f.ask("a", time.Minute)
				if err != nil || !errors.Is(statemachine.Failure(r.Output()), statemachine.ErrTooLarge) {
					t.Errorf("%q, %v", r.Output(), err)
				}
			})
			synctest.Wait()
		}
		asking.Wait()
	})
}

func TestPack_WhoGivesUpInLineHasSentNothing(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		for i := range f.answer {
			f.answer[i] = silent
		}
		go func() { _, _ = f.ask("in flight", time.Minute) }()
		synctest.Wait()
		stays, err := f.s.submit(t.Context(), [][]byte{[]byte("stays")}, session.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.ask("gives up", time.Second); !errors.Is(err, ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("giving up in line gives %v", err)
		}
		f.heal()
		if r, err := stays.Wait(t.Context()); err != nil || string(r.Output()) != "did stays" {
			t.Errorf("%q, %v", r.Output(), err)
		}
		if r := f.sendings(2)[0].request; len(r.Ops) != 1 {
			t.Errorf("the request carries %q", r.Ops)
		}
	})
}

// If one of several packed callers stops waiting, the operations of the others are sent again as before. The result
// for that caller is dropped.
func TestPack_OneCallerLeavingDisturbsNoOther(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(1)
		var asking sync.WaitGroup
		asking.Go(func() { f.together([]string{"first"}, session.Kind{}) })
		synctest.Wait()
		f.set(func() { copy(f.answer, slices.Repeat([]func(wire.Reply) []wire.Reply{silent}, 4)) })
		asking.Go(func() {
			if _, err := f.ask("leaves", time.Second); !errors.Is(err, ErrUnknown) {
				t.Errorf("leaving gives %v", err)
			}
		})
		asking.Go(func() { f.together([]string{"stays"}, session.Kind{}) })
		time.AfterFunc(2*time.Second, f.heal)
		asking.Wait()
		if sizes := f.packs(); !slices.Equal(sizes, []int{1, 2}) {
			t.Errorf("requests of %v", sizes)
		}
	})
}

func TestPack_SubmitBlocksWhenTheLineIsFull(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.packing(2)
		for i := range f.answer {
			f.answer[i] = silent
		}
		blocked := make(chan struct{})
		go func() {
			for range 1000 {
				if _, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{}); err != nil {
					t.Error(err)
				}
			}
			close(blocked)
		}()
		synctest.Wait()
		if held, room := f.waiting(), f.limits().Pack*f.limits().InFlight; held != room+1 {
			t.Errorf("%d calls in line, want %d and one whose submitter waits", held, room)
		}
		f.heal()
		<-blocked
	})
}
