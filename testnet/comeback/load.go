package comeback

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tagma/client"
	"tagma/statemachine/kv"
)

// writes is the keys that one writer owns: from, from+step, … below to, again and again.
type writes struct {
	from, step, to int
	at             int
}

// next is a key that still takes writes, and the number of its next one. It is false when all outcomes are open.
func (w *writes) next(l *ledger) (key int, n uint32, ok bool) {
	for range (w.to-w.from)/w.step + 1 {
		if w.at < w.from || w.at >= w.to {
			w.at = w.from
		}
		key = w.at
		w.at += w.step
		if n, ok = l.next(key); ok {
			return key, n, true
		}
	}
	return 0, 0, false
}

// load is clients that overwrite keys until they are stopped.
type load struct {
	ledger *ledger
	rate   float64 // operations due in a second, of all workers; 0: each sends the next when the last one is answered
	began  time.Time
	ticket atomic.Int64
	stopIt chan struct{}
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu     sync.Mutex
	acks   []time.Time // in the order of their arrival
	failed error       // the first write that was refused
}

// beginLoad starts workers on all keys.
func (s *stage) beginLoad(rate float64) *load {
	ctx, cancel := context.WithCancel(s.ctx)
	l := &load{ledger: s.ledger, rate: rate, began: time.Now(), stopIt: make(chan struct{}), cancel: cancel}
	for i := range s.o.Workers {
		own := writes{from: i, step: s.o.Workers, to: s.o.Keys}
		l.all.Go(func() { l.work(ctx, s.sessions[i%len(s.sessions)], own) })
	}
	return l
}

func (l *load) work(ctx context.Context, c *client.Client, own writes) {
	for l.due(ctx) {
		key, n, ok := own.next(l.ledger)
		if !ok {
			return
		}
		err := put(ctx, c, l.ledger, key, n)
		l.mu.Lock()
		if err == nil {
			l.acks = append(l.acks, time.Now())
		} else if l.failed == nil && !errors.Is(err, client.ErrUnknown) {
			l.failed = err
		}
		l.mu.Unlock()
	}
}

// due waits until the next operation is due. It is false when the load is to end.
func (l *load) due(ctx context.Context) bool {
	wait := time.Duration(0)
	if l.rate > 0 {
		at := time.Duration(float64(l.ticket.Add(1)) / l.rate * float64(time.Second))
		wait = time.Until(l.began.Add(at))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-l.stopIt:
		return false
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// put writes a key and notes the outcome.
func put(ctx context.Context, c *client.Client, l *ledger, key int, n uint32) error {
	result, err := c.Do(ctx, kv.Put([]byte(keyName(key)), l.value(key, n)))
	if err == nil {
		_, err = kv.DecodePut(result.Output())
	}
	l.settle(key, n, err == nil)
	if err != nil {
		return fmt.Errorf("put %s: %w", keyName(key), err)
	}
	return nil
}

// end lets the writes under way finish, at most for a while: what is open then has an unknown outcome. The error is
// that of a write that was refused.
func (l *load) end(patience time.Duration) error {
	close(l.stopIt)
	timer := time.AfterFunc(patience, l.cancel)
	l.all.Wait()
	timer.Stop()
	l.cancel()
	if l.failed != nil {
		return fmt.Errorf("a client was refused: %w", l.failed)
	}
	return nil
}

// perSecond is how many writes were acknowledged in a second between two moments.
func (l *load) perSecond(from, to time.Time) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return perSecond(l.acks, from, to)
}

func perSecond(acks []time.Time, from, to time.Time) float64 {
	n := 0
	for _, at := range acks {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	if lasted := to.Sub(from).Seconds(); lasted > 0 {
		return float64(n) / lasted
	}
	return 0
}

// silence is the longest time without an acknowledgement that overlaps a span.
func (l *load) silence(from, to time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.began
	for _, at := range append(l.acks[:len(l.acks):len(l.acks)], to) {
		if at.After(from) && last.Before(to) {
			longest = max(longest, at.Sub(last))
		}
		last = at
	}
	return longest
}
