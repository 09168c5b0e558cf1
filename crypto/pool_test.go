package crypto

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// message returns the n-th message of a key. It has one claim, which is true or false.
func message(k *PrivateKey, n int, holds bool) []Claim {
	text := binary.BigEndian.AppendUint64(nil, uint64(n))
	c := Claim{Key: k.Public(), Message: text, Sig: k.Sign(text)}
	if !holds {
		c.Sig[0] ^= 1
	}
	return []Claim{c}
}

// paused returns a pool whose workers are all busy. What is submitted waits until resume is called, so that the test
// knows what is in a batch.
func paused(v *Verifier) *Pool {
	p := NewPool(v, 1)
	p.running = 1
	return p
}

func (p *Pool) resume() { go p.work() }

func TestPool_DeliversInTheOrderOfEachSource(t *testing.T) {
	p := NewPool(NewVerifier(64, nil), 4)
	const sources, messages = 8, 300
	var all sync.WaitGroup
	var got [sources][]bool
	for i := range sources {
		s, k := p.NewSource(Class(i%2)), FromSeed([32]byte{byte(i)})
		all.Go(func() {
			for n := range messages {
				// Some messages of every third source have a false claim. The delivered verdict shows which message
				// it belongs to.
				claims := message(k, n, i%3 > 0 || n%50 != 7)
				p.Submit(s, claims, func(holds bool) {
					if len(got[i]) != n {
						t.Errorf("source %d: message %d comes as number %d", i, n, len(got[i]))
					}
					got[i] = append(got[i], holds)
				})
			}
			s.Wait()
		})
	}
	all.Wait()
	p.Close()
	for i := range got {
		for n, holds := range got[i] {
			if want := i%3 > 0 || n%50 != 7; holds != want {
				t.Errorf("source %d, message %d: %t, want %t", i, n, holds, want)
			}
		}
		if len(got[i]) != messages {
			t.Errorf("source %d: %d verdicts, want %d", i, len(got[i]), messages)
		}
	}
}

func TestPool_AMessageIsBelievedAsAWhole(t *testing.T) {
	p, k := NewPool(NewVerifier(0, nil), 2), FromSeed([32]byte{1})
	s := p.NewSource(Votes)
	var got []bool
	deliver := func(holds bool) { got = append(got, holds) }
	p.Submit(s, nil, deliver)
	p.Submit(s, append(message(k, 1, true), message(k, 2, true)...), deliver)
	p.Submit(s, append(message(k, 3, true), message(k, 4, false)...), deliver)
	p.Close()
	if want := []bool{true, true, false}; !slices.Equal(got, want) {
		t.Errorf("verdicts %v, want %v", got, want)
	}
}

func TestPool_WhatWaitsIsVerifiedTogether(t *testing.T) {
	v := NewVerifier(0, nil)
	p := paused(v)
	for i := range 8 {
		s, k := p.NewSource(Clients), FromSeed([32]byte{byte(i)})
		for n := range 2 {
			p.Submit(s, message(k, n, true), func(bool) {})
		}
	}
	p.resume()
	p.Close()
	if got, want := v.Stats(), (Stats{Batched: 16}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}

// S2: after one false claim, its batch is verified a second time, message by message. That happens only once.
func TestS2_ASourceThatSpoiledABatchSpoilsNoOther(t *testing.T) {
	v := NewVerifier(0, nil)
	p := paused(v)
	liar, honest := p.NewSource(Clients), p.NewSource(Clients)
	one, two := FromSeed([32]byte{1}), FromSeed([32]byte{2})
	round := func(n int) {
		for i := range 8 {
			p.Submit(liar, message(one, 8*n+i, i != 3), func(holds bool) {
				if holds != (i != 3) {
					t.Errorf("the liar's message %d: %t", i, holds)
				}
			})
			p.Submit(honest, message(two, 8*n+i, true), func(holds bool) {
				if !holds {
					t.Errorf("the honest message %d was refused", i)
				}
			})
		}
		p.resume()
		p.Close()
	}
	round(0)
	if got, want := v.Stats(), (Stats{Batched: 16, Single: 16, Failures: 2}); got != want {
		t.Errorf("first round: %+v, want %+v", got, want)
	}
	p.running = 1
	round(1)
	if got, want := v.Stats(), (Stats{Batched: 16 + 8, Single: 16 + 8, Failures: 3}); got != want {
		t.Errorf("second round: %+v, want %+v", got, want)
	}
}

func TestPool_ABlockedDeliveryHoldsUpItsSourceOnly(t *testing.T) {
	p, k := NewPool(NewVerifier(0, nil), 1), FromSeed([32]byte{1})
	stuck, free := p.NewSource(Votes), p.NewSource(Votes)
	release, delivered := make(chan struct{}), 0
	for n := range 10 {
		p.Submit(stuck, message(k, n, true), func(bool) { <-release; delivered++ })
	}
	for n := range 500 {
		p.Submit(free, message(k, n, true), func(bool) {})
	}
	free.Wait() // with the only worker
	close(release)
	stuck.Wait()
	if delivered != 10 {
		t.Errorf("%d delivered, want 10", delivered)
	}
}

func TestPool_ASourceMayHaveSoMuchUnderWay(t *testing.T) {
	for name, c := range map[string]struct{ size, fit int }{
		"messages": {8, sourceMessages}, "bytes": {sourceBytes / 4, 4}, "one that is too large": {2 * sourceBytes, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := paused(NewVerifier(0, nil))
				s := p.NewSource(Clients)
				taken := 0
				go func() {
					for range c.fit + 1 {
						p.Submit(s, []Claim{{Message: make([]byte, c.size)}}, func(bool) {})
						taken++
					}
				}()
				synctest.Wait()
				if taken != c.fit {
					t.Errorf("%d taken before the source has to wait, want %d", taken, c.fit)
				}
				p.resume()
				synctest.Wait()
				if taken != c.fit+1 {
					t.Errorf("%d taken after all were delivered, want %d", taken, c.fit+1)
				}
				p.Close()
			})
		})
	}
}

func TestPool_AtMostSoManyWorkersAndNoneAtRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k := NewPool(NewVerifier(0, nil), 0), FromSeed([32]byte{1})
		s := p.NewSource(Votes)
		for n := range 100 {
			p.Submit(s, message(k, n, true), func(bool) {
				p.mu.Lock()
				defer p.mu.Unlock()
				if p.running > 1 {
					t.Errorf("%d workers, want at most 1", p.running)
				}
			})
		}
		synctest.Wait()
		if p.running != 0 {
			t.Errorf("%d workers at rest", p.running)
		}
	})
}
