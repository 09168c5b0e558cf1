package processes

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/client"
	"tagma/testnet/check"
	"tagma/testnet/history"
	"tagma/testnet/play"
)

// Bounds of inBulk.
const (
	opsAtOnce      = 64       // operations in one request
	bytesAtOnce    = 64 << 10 // bytes of values in one request, or in its result
	requestsAtOnce = 16       // requests of one client under way at once
)

// fill writes each key of each worker once, if the workload has a number of keys.
func (l *load) fill(ctx context.Context) error {
	if l.s.Workload.Keys == 0 {
		return nil
	}
	var ops []check.Op
	for _, w := range l.makers {
		for range w.keys {
			ops = append(ops, w.next())
		}
	}
	if _, err := l.inBulk(ctx, ops); err != nil {
		return fmt.Errorf("fill the cluster with %d keys: %w", len(ops), err)
	}
	for _, op := range ops {
		l.filled = append(l.filled, check.Write{Key: op.Key, Value: op.Value, Acknowledged: true})
	}
	return nil
}

// inBulk executes operations, many in one request, through all clients at once.
func (l *load) inBulk(ctx context.Context, ops []check.Op, options ...client.CallOption) ([]check.Out, error) {
	began, size := time.Now(), max(1, min(opsAtOnce, bytesAtOnce/max(1, l.s.Workload.ValueBytes)))
	sessions := slices.Collect(maps.Values(l.sessions))
	group, ending := errgroup.WithContext(ctx)
	group.SetLimit(requestsAtOnce * len(sessions))
	outs := make([]check.Out, len(ops))
	var done atomic.Int64
	for at := 0; at < len(ops) && ending.Err() == nil; at += size {
		part, session := ops[at:min(at+size, len(ops))], sessions[at/size%len(sessions)]
		group.Go(func() error {
			encoded := make([][]byte, len(part))
			for i := range part {
				encoded[i] = history.Encode(&part[i])
			}
			result, err := session.DoMany(ending, encoded, options...)
			if err != nil {
				return err
			}
			for i := range part {
				if outs[at+i], err = history.Decode(&part[i], result.Outputs[i]); err != nil {
					return fmt.Errorf("%s %q: %w", part[i].Kind, part[i].Key, err)
				}
			}
			if all := done.Add(int64(len(part))); l.s.Workload.Keys > 0 {
				l.show.State(play.State{At: time.Since(began), Acknowledged: int(all), Goal: len(ops)})
			}
			return nil
		})
	}
	return outs, cmp.Or(group.Wait(), ctx.Err())
}
