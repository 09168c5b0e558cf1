package client

import (
	"context"
	"errors"
	"fmt"

	"tagma/statemachine/kv"
)

// ErrNotFound says that the key does not exist.
var ErrNotFound = errors.New("key not found")

// Get returns the value of a key of the key-value machine; ErrNotFound when it does not exist. It sees every write that
// was acknowledged, to any client, before it was called.
func (c *Client) Get(ctx context.Context, key string) ([]byte, error) {
	result, err := do(ctx, c, kv.Get([]byte(key)), kv.DecodeGet, ReadOnly())
	switch {
	case err != nil:
		return nil, fmt.Errorf("get %q: %w", key, err)
	case result.Pair == nil:
		return nil, fmt.Errorf("get %q: %w", key, ErrNotFound)
	}
	return result.Pair.Value, nil
}

// GetAt returns the value that a key had after sequence number at, as Result.Seq names them; ErrNotFound when it did not
// exist then, ErrNotRetained when the replicas have given that state up.
func (c *Client) GetAt(ctx context.Context, key string, at uint64) ([]byte, error) {
	result, err := c.QueryAt(ctx, kv.Get([]byte(key)), at)
	if err != nil {
		return nil, fmt.Errorf("get %q at sequence number %d: %w", key, at, err)
	}
	got, err := kv.DecodeGet(result)
	switch {
	case err != nil:
		return nil, fmt.Errorf("get %q at sequence number %d: %w", key, at, err)
	case got.Pair == nil:
		return nil, fmt.Errorf("get %q at sequence number %d: %w", key, at, ErrNotFound)
	}
	return got.Pair.Value, nil
}

// Put sets a key. For the revision that it makes, and the pair that it replaces, use Do with package kv.
func (c *Client) Put(ctx context.Context, key string, value []byte) error {
	if _, err := do(ctx, c, kv.Put([]byte(key), value), kv.DecodePut); err != nil {
		return fmt.Errorf("put %q: %w", key, err)
	}
	return nil
}

// Delete removes a key and reports whether it existed.
func (c *Client) Delete(ctx context.Context, key string) (existed bool, err error) {
	result, err := do(ctx, c, kv.Delete([]byte(key)), kv.DecodeDeleteRange)
	if err != nil {
		return false, fmt.Errorf("delete %q: %w", key, err)
	}
	return result.Deleted > 0, nil
}

// Txn executes the operations of then if all compares hold, else those of orElse, as one step; see kv.Txn, whose
// functions make both. Each of the results decodes as that operation's own.
func (c *Client) Txn(ctx context.Context, compares []kv.Compare, then, orElse [][]byte) (kv.TxnResult, error) {
	result, err := do(ctx, c, kv.Txn(compares, then, orElse), kv.DecodeTxn)
	if err != nil {
		return kv.TxnResult{}, fmt.Errorf("transaction: %w", err)
	}
	return result, nil
}

// Range returns the pairs start ≤ key < end in ascending order, at most limit of them; 0 stands for the machine's own
// limit, and an empty end for no end. When More is set, the result's Next is where to go on; Scan does so by itself.
func (c *Client) Range(ctx context.Context, start, end string, limit int) (kv.RangeResult, error) {
	return c.pairs(ctx, []byte(start), bound(end), limit)
}

// Prefix is Range over the keys that begin with prefix.
func (c *Client) Prefix(ctx context.Context, prefix string, limit int) (kv.RangeResult, error) {
	return c.pairs(ctx, []byte(prefix), kv.PrefixEnd([]byte(prefix)), limit)
}

func (c *Client) pairs(ctx context.Context, start, end []byte, limit int) (kv.RangeResult, error) {
	most := uint32(min(max(limit, 0), kv.MaxRangeKeys))
	result, err := do(ctx, c, kv.Range(start, end, most), kv.DecodeRange, ReadOnly())
	if err != nil {
		return kv.RangeResult{}, fmt.Errorf("range from %q: %w", start, err)
	}
	return result, nil
}

func do[T any](ctx context.Context, c *Client, op []byte, decode func([]byte) (T, error), opts ...CallOption) (T, error) {
	result, err := c.Do(ctx, op, opts...)
	if err != nil {
		var none T
		return none, err
	}
	return decode(result.Output())
}
