package comeback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/client"
	"tagma/statemachine/kv"
	"tagma/testnet/play"
)

// put writes a key and notes the outcome. It returns the sequence number of the write's batch.
func (l *ledger) put(ctx context.Context, c *client.Client, key int, n uint32) (seq uint64, err error) {
	result, err := c.Do(ctx, kv.Put([]byte(keyName(key)), l.value(key, n)))
	if err == nil {
		_, err = kv.DecodePut(result.Output())
	}
	l.settle(key, n, err == nil)
	if err != nil {
		return 0, fmt.Errorf("put %s: %w", keyName(key), err)
	}
	return result.Seq, nil
}

// Bounds of a request of several operations.
const (
	opsAtOnce   = 64
	bytesAtOnce = 64 << 10
)

// inParts has operations on all keys executed, several keys in each request, from as many goroutines as there are workers.
// Settle is told the outcome of each.
func (s *stage) inParts(
	op func(key int) []byte, settle func(key int, output []byte, err error) error, options ...client.CallOption,
) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.o.Workers)
	var done atomic.Int64
	began, part := time.Now(), max(1, min(opsAtOnce, bytesAtOnce/(len(keyName(0))+s.o.ValueBytes)))
	for from := 0; from < s.o.Keys && ctx.Err() == nil; from += part {
		c, to := s.sessions[from/part%len(s.sessions)], min(from+part, s.o.Keys)
		group.Go(func() error {
			ops := make([][]byte, 0, to-from)
			for key := from; key < to; key++ {
				ops = append(ops, op(key))
			}
			result, err := s.admitted(ctx, c, ops, options)
			var failed error
			for i := range ops {
				var output []byte
				if err == nil {
					output = result.Outputs[i]
				}
				failed = cmp.Or(failed, settle(from+i, output, err))
			}
			all := done.Add(int64(to - from))
			s.show.State(play.State{At: time.Since(began), Acknowledged: int(all), Goal: s.o.Keys})
			return failed
		})
	}
	return group.Wait()
}

// refusedPause is how long answers are let come in before what a session had no room for is sent again.
const refusedPause = 20 * time.Millisecond

// admitted has operations executed that may be executed twice. While one request of a session is not answered, the
// answers to all later ones are kept for it, and when they reach the limit further ones are refused: they go out again.
func (s *stage) admitted(ctx context.Context, c *client.Client, ops [][]byte, options []client.CallOption) (client.Result, error) {
	for {
		result, err := c.DoMany(ctx, ops, options...)
		if !errors.Is(err, client.ErrRefused) {
			return result, err
		}
		select {
		case <-time.After(refusedPause):
		case <-ctx.Done():
			return result, err
		}
	}
}

// fill writes every key once.
func (s *stage) fill() {
	err := s.inParts(func(key int) []byte {
		n, _ := s.ledger.next(key) // nothing is open yet
		return kv.Put([]byte(keyName(key)), s.ledger.value(key, n))
	}, func(key int, output []byte, err error) error {
		if err == nil {
			_, err = kv.DecodePut(output)
		}
		s.ledger.settle(key, 1, err == nil)
		return err
	})
	if err != nil {
		s.fail("fill the cluster with %d keys: %w", s.o.Keys, err)
	}
}

// readBack reads every key and judges it.
func (s *stage) readBack() {
	err := s.inParts(func(key int) []byte {
		return kv.Get([]byte(keyName(key)))
	}, func(key int, output []byte, err error) error {
		if err != nil {
			return err
		}
		got, err := kv.DecodeGet(output)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", keyName(key), err)
		case got.Pair == nil:
			return s.ledger.judge(key, nil)
		}
		return s.ledger.judge(key, got.Pair.Value)
	}, client.ReadOnly())
	if err != nil {
		s.fail("read all keys back: %w", err)
	}
}

// advance writes the keys below to one after the other, each in a batch of its own, until a sequence number is reached,
// and every one of them at least so many times.
func (s *stage) advance(keys, times int, seq uint64) (at uint64) {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	own := writes{step: 1, to: keys}
	for i := 0; i < keys*times || at < seq; i++ {
		reached, err := s.write(ctx, &own)
		if err != nil {
			s.fail("overwrite keys up to sequence number %d, last seen %d: %w", seq, at, err)
		}
		at = max(at, reached)
	}
	return at
}

var errOpen = errors.New("the outcomes of writes to all keys are unknown")

// write writes the next of some keys.
func (s *stage) write(ctx context.Context, own *writes) (seq uint64, err error) {
	key, n, ok := own.next(s.ledger)
	if !ok {
		return 0, errOpen
	}
	return s.ledger.put(ctx, s.sessions[0], key, n)
}

// serves demands that a new write is acknowledged in time, and returns how long it took.
func (s *stage) serves() time.Duration {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	began := time.Now()
	if _, err := s.write(ctx, &writes{step: 1, to: s.o.Keys, at: s.o.Keys / 2}); err != nil {
		s.fail("a write must be acknowledged within %v: %w", s.o.Within, err)
	}
	return time.Since(began)
}

// servesNobody demands that a write is not acknowledged.
func (s *stage) servesNobody() {
	ctx, cancel := context.WithTimeout(s.ctx, 3*s.o.ViewTimeout)
	defer cancel()
	switch _, err := s.write(ctx, &writes{step: 1, to: s.o.Keys}); {
	case err == nil:
		s.fail("a write was acknowledged")
	case errors.Is(err, errOpen):
		s.must(err)
	}
}

// load is clients that overwrite keys until they are stopped.
type load struct {
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

// load starts workers on all keys.
func (s *stage) load(rate float64) *load {
	ctx, cancel := context.WithCancel(s.ctx)
	l := &load{rate: rate, began: time.Now(), stopIt: make(chan struct{}), cancel: cancel}
	for i := range s.o.Workers {
		own, c := writes{from: i, step: s.o.Workers, to: s.o.Keys}, s.sessions[i%len(s.sessions)]
		l.all.Go(func() {
			for l.due(ctx) {
				key, n, ok := own.next(s.ledger)
				if !ok {
					return
				}
				_, err := s.ledger.put(ctx, c, key, n)
				l.note(err)
			}
		})
	}
	return l
}

func (l *load) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.acks = append(l.acks, time.Now())
	} else if l.failed == nil && !errors.Is(err, client.ErrUnknown) {
		l.failed = err
	}
}

// due waits until the next operation is due. It is false when the load is to end.
func (l *load) due(ctx context.Context) bool {
	wait := time.Duration(0)
	if l.rate > 0 {
		at := time.Duration(float64(l.ticket.Add(1)) / l.rate * float64(time.Second))
		wait = time.Until(l.began.Add(at))
	}
	select {
	case <-l.stopIt:
		return false
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// endPatience is how long writes under way may take to finish when a load ends.
const endPatience = 20 * time.Second

// end lets the writes under way finish, at most for a while: what is open then has an unknown outcome. The error is
// that of a write that was refused.
func (l *load) end() error {
	close(l.stopIt)
	timer := time.AfterFunc(endPatience, l.cancel)
	l.all.Wait()
	timer.Stop()
	l.cancel()
	if l.failed != nil {
		return fmt.Errorf("a client was refused: %w", l.failed)
	}
	return nil
}

// perSecond is how many writes were acknowledged in a second from a moment until now.
func (l *load) perSecond(from time.Time) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return perSecond(l.acks, from, time.Now())
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

// saturation is how many writes a second are acknowledged when every worker sends the next one at once.
func (s *stage) saturation() float64 {
	l := s.load(0)
	defer l.cancel()
	from := time.Now()
	s.pass(s.o.Measure)
	rate := l.perSecond(from)
	s.must(l.end())
	if rate == 0 {
		s.fail("no write was acknowledged within %v", s.o.Measure)
	}
	return rate
}

// pass lets time go by that is measured.
func (s *stage) pass(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.ctx.Done():
	}
}
