package client

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

// hedging switches hedging on and gives the session some answers that take 2·oneWay, so that it expects that time.
func (f *fake) hedging() {
	f.remake(func(of *session.Config) { of.NoHedging = false })
	f.learn()
}

func (f *fake) learn() {
	for range 20 {
		f.mustDo("learn")
	}
}

// late makes the replicas answer only after this time.
func (f *fake) late(d time.Duration) { f.set(func() { f.lag = slices.Repeat([]time.Duration{d}, 4) }) }

func TestC3_ALateRequestIsHedgedOnceBeforeTheTimeout(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.hedging()
		f.late(40 * time.Millisecond)
		f.mustDo("late")
		sent := f.sendings(21)
		if to := recipients(sent); !slices.Equal(to, []int{0, 1, 2, 3}) {
			t.Fatalf("sent to %v, want the primary first and then the others", to)
		}
		if after := sent[1].at.Sub(sent[0].at); after != hedgeLeast {
			t.Errorf("hedged after %v, want %v", after, hedgeLeast)
		}
	})
}

func TestC3_ACensoringPrimaryCostsAHedgeNotATimeout(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.hedging()
		f.set(func() {
			f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{does(func(r *wire.Reply) { r.View = 1 })}, 4)
		})
		f.mustDo("a")
		f.deaf[1] = true // the client's request reaches a backup first, which does not relay it
		start := time.Now()
		f.mustDo("censored")
		if took := time.Since(start); took > hedgeLeast+3*oneWay {
			t.Errorf("took %v", took)
		}
	})
}

func TestC3_WithoutHedgingTheTimeoutIsAwaited(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.learn()
		f.late(40 * time.Millisecond)
		f.mustDo("late")
		if to := recipients(f.sendings(21)); !slices.Equal(to, []int{0}) {
			t.Errorf("sent to %v", to)
		}
	})
}

// If one answer in three is late, only a few percent of the requests are hedged, because the client expects late
// answers by then.
func TestC3_HedgesAreAFewPercentAtMost(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.hedging()
		const requests = 2000
		for i := range requests { // one answer in three is late, so the mean latency stays the same
			f.late(time.Duration(i%3/2) * 30 * time.Millisecond)
			f.mustDo("a")
		}
		hedged := 0
		for number := uint64(1); number <= requests+20; number++ {
			if len(f.sendings(number)) > 1 {
				hedged++
			}
		}
		if hedged == 0 || hedged > requests*6/100 {
			t.Errorf("%d of %d requests were hedged", hedged, requests)
		}
	})
}

func TestC3_NothingIsHedgedWhileTheClusterIsBusy(t *testing.T) {
	for name, c := range map[string]struct {
		overload func(f *fake)
		late     time.Duration // longer than the time after which a request is hedged, and shorter than the timeout
	}{
		"f+1 replicas said so": {func(f *fake) {
			changesItsMind := func(r wire.Reply) []wire.Reply {
				first := r
				busy(&first)
				return []wire.Reply{first, r}
			}
			f.set(func() {
				copy(f.answer, []func(wire.Reply) []wire.Reply{changesItsMind, changesItsMind, silent, silent})
			})
			f.mustDo("busy")
			f.heal()
		}, 40 * time.Millisecond},
		"answers take longer": {func(f *fake) {
			for i := range 20 {
				f.late(time.Duration(i%2) * 60 * time.Millisecond)
				f.mustDo("slow")
			}
		}, 125 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			withCluster(t, func(t *testing.T, f *fake) {
				f.hedging()
				c.overload(f)
				f.late(c.late)
				f.mustDo("late")
				if to := recipients(f.sendings(f.last())); !slices.Equal(to, []int{0}) {
					t.Errorf("sent to %v", to)
				}
			})
		})
	}
}

// last is the number of the last request.
func (f *fake) last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[len(f.sent)-1].request.ID.T
}

func TestC7_WhatIsSentOnceIsNotHedged(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		f.hedging()
		f.late(300 * time.Millisecond)
		if _, err := f.s.do(t.Context(), [][]byte{[]byte("a")}, session.Kind{Semantics: session.AtMostOnce}); err != nil {
			t.Fatal(err)
		}
		if to := recipients(f.sendings(21)); !slices.Equal(to, []int{0}) {
			t.Errorf("sent to %v", to)
		}
	})
}

// overloaded is a cluster that accepts one request in every period and answers all others with Busy.
func overloaded(f *fake, period time.Duration) {
	takes := map[uint64]bool{}
	var next time.Time
	decide := func(r wire.Reply) []wire.Reply {
		if now := time.Now(); !takes[r.ID.T] && now.Before(next) {
			busy(&r)
			r.RetryAfterMillis = 60
		} else if !takes[r.ID.T] {
			takes[r.ID.T], next = true, now.Add(period)
		}
		return []wire.Reply{r}
	}
	f.set(func() { f.answer = slices.Repeat([]func(wire.Reply) []wire.Reply{decide}, 4) })
}

// In an overload every caller is served after about the time that all of them together need, and none gets an error.
func TestC6_NoCallerStarvesAndBusyIsNoError(t *testing.T) {
	for name, packed := range map[string]bool{"packed": true, "alone": false} {
		t.Run(name, func(t *testing.T) {
			withCluster(t, func(t *testing.T, f *fake) {
				if packed {
					f.packing(2)
				}
				overloaded(f, 100*time.Millisecond)
				const callers, each = 20, 10
				done := make(chan int, callers*each)
				for caller := range callers {
					go func() {
						for range each {
							ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
							if _, err := f.s.do(ctx, [][]byte{[]byte("a")}, session.Kind{}); err != nil {
								t.Errorf("caller %d: %v", caller, err)
							}
							cancel()
							done <- caller
						}
					}()
				}
				served := make([]int, callers)
				for range callers * each / 2 {
					served[<-done]++
				}
				if least, most := slices.Min(served), slices.Max(served); least == 0 || most > each*9/10 {
					t.Errorf("when half is done, callers have %v", served)
				}
				for range callers * each / 2 {
					<-done
				}
				synctest.Wait()
			})
		})
	}
}
