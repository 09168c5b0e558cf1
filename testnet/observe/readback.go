package observe

import (
	"context"
	"fmt"

	"tagma/client"
	"tagma/internal/node"
	"tagma/statemachine/kv"
	"tagma/testnet/check"
)

// ReadBack reads keys that were written, many in one request, and calls progress with how many each brought.
func ReadBack(ctx context.Context, c *client.Client, writes []check.Write, progress func(int)) (map[string]check.Found, error) {
	found := make(map[string]check.Found, len(writes))
	for len(writes) > 0 {
		n := atOnce(writes)
		part := writes[:n]
		writes = writes[n:]
		ops := make([][]byte, len(part))
		for i := range part {
			ops[i] = kv.Get([]byte(part[i].Key))
		}
		result, err := c.DoMany(ctx, ops, client.ReadOnly())
		if err != nil {
			return found, fmt.Errorf("read %d keys back: %w", len(ops), err)
		}
		for i, out := range result.Outputs {
			got, err := kv.DecodeGet(out)
			if err != nil {
				return found, fmt.Errorf("read key %q back: %w", part[i].Key, err)
			}
			if got.Pair != nil {
				found[part[i].Key] = check.Found{Value: string(got.Pair.Value), Version: got.Pair.Version}
			}
		}
		progress(len(part))
	}
	return found, nil
}

// atOnce is how many keys one request asks for: their values are in one result, which has a limit.
func atOnce(writes []check.Write) int {
	const mostKeys, mostBytes = 128, 256 << 10
	bytes := 0
	for i := range writes {
		if bytes += len(writes[i].Value); i > 0 && (i == mostKeys || bytes > mostBytes) {
			return i
		}
	}
	return len(writes)
}

// Agree reports whether replicas have executed equally far and have the newest checkpoint there stable, with one digest.
func Agree(got map[int]node.Report, ids []int, interval uint64) bool {
	if len(ids) == 0 {
		return false
	}
	first := got[ids[0]]
	for _, id := range ids {
		r, answered := got[id]
		if !answered || r.Executed != first.Executed || r.StateDigest != first.StateDigest ||
			r.StableCheckpoint == 0 || r.StableCheckpoint != r.Executed/interval*interval {
			return false
		}
	}
	return true
}
