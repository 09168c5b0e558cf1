package comeback

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/client"
	"tagma/statemachine/kv"
	"tagma/testnet/play"
)

// Bounds of a request of several operations.
const (
	opsAtOnce   = 64
	bytesAtOnce = 64 << 10
)

// together is how many keys share a request.
func (s *stage) together() int {
	return max(1, min(opsAtOnce, bytesAtOnce/(len(keyName(0))+s.o.ValueBytes)))
}

// inParts calls do for parts of all keys, from as many goroutines as there are workers.
func (s *stage) inParts(do func(ctx context.Context, c *client.Client, from, to int) error) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.o.Workers)
	var done sync.Mutex
	all := 0
	began, part := time.Now(), s.together()
	for from := 0; from < s.o.Keys && ctx.Err() == nil; from += part {
		to := min(from+part, s.o.Keys)
		c := s.sessions[from/part%len(s.sessions)]
		group.Go(func() error {
			if err := do(ctx, c, from, to); err != nil {
				return err
			}
			done.Lock()
			defer done.Unlock()
			all += to - from
			s.show.State(play.State{At: time.Since(began), Acknowledged: all, Goal: s.o.Keys})
			return nil
		})
	}
	return group.Wait()
}

// fill writes every key once.
func (s *stage) fill() error {
	err := s.inParts(func(ctx context.Context, c *client.Client, from, to int) error {
		ops := make([][]byte, 0, to-from)
		numbers := make([]uint32, 0, to-from)
		for key := from; key < to; key++ {
			n, _ := s.ledger.next(key) // nothing is open yet
			numbers = append(numbers, n)
			ops = append(ops, kv.Put([]byte(keyName(key)), s.ledger.value(key, n)))
		}
		result, err := c.DoMany(ctx, ops)
		for i, key := 0, from; key < to; i, key = i+1, key+1 {
			failed := err
			if failed == nil {
				_, failed = kv.DecodePut(result.Outputs[i])
			}
			s.ledger.settle(key, numbers[i], failed == nil)
			if failed != nil {
				err = failed
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("fill the cluster with %d keys: %w", s.o.Keys, err)
	}
	return nil
}

// readBack reads every key and judges it.
func (s *stage) readBack() error {
	err := s.inParts(func(ctx context.Context, c *client.Client, from, to int) error {
		ops := make([][]byte, 0, to-from)
		for key := from; key < to; key++ {
			ops = append(ops, kv.Get([]byte(keyName(key))))
		}
		result, err := c.DoMany(ctx, ops, client.ReadOnly())
		if err != nil {
			return err
		}
		for i, key := 0, from; key < to; i, key = i+1, key+1 {
			got, err := kv.DecodeGet(result.Outputs[i])
			if err != nil {
				return fmt.Errorf("%s: %w", keyName(key), err)
			}
			var value []byte
			if got.Pair != nil {
				value = got.Pair.Value
			}
			if err := s.ledger.judge(key, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read all keys back: %w", err)
	}
	return nil
}

// advance writes the keys below to one after the other, each in a batch of its own, until a sequence number is reached,
// and every one of them at least so many times.
func (s *stage) advance(keys, times int, seq uint64) (at uint64, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.o.Within)
	defer cancel()
	own := writes{step: 1, to: keys}
	for i := 0; i < keys*times || at < seq; i++ {
		key, n, ok := own.next(s.ledger)
		if !ok {
			return at, fmt.Errorf("overwrite %d keys: the outcomes of writes to all of them are unknown", keys)
		}
		result, err := s.sessions[0].Do(ctx, kv.Put([]byte(keyName(key)), s.ledger.value(key, n)))
		if err == nil {
			_, err = kv.DecodePut(result.Output())
		}
		s.ledger.settle(key, n, err == nil)
		if err != nil {
			return at, fmt.Errorf("overwrite keys up to sequence number %d, last seen %d: %w", seq, at, err)
		}
		at = max(at, result.Seq)
	}
	return at, nil
}
