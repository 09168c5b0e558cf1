package kv

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"tagma/internal/quote"
	"tagma/statemachine"
)

var (
	// ErrNotFound says that the key does not exist, or did not exist then.
	ErrNotFound = errors.New("key not found")
	// ErrNoHistory says that the cluster keeps no former states that could be reverted to.
	ErrNoHistory = errors.New("the cluster keeps no history; set history in [protocol] of its cluster.toml")
)

// Client has the calls for a cluster whose machine is this one. What the machine refuses is a Code in the error. It is as
// safe for concurrent use as what it calls.
type Client struct{ caller statemachine.Caller }

// NewClient returns the calls that go through a caller, such as a *client.Client.
func NewClient(caller statemachine.Caller) Client { return Client{caller} }

// Get returns the value of a key; ErrNotFound when it does not exist. It sees every write that was acknowledged, to any
// client, before it was called.
func (c Client) Get(ctx context.Context, key string) ([]byte, error) {
	pair, err := c.Pair(ctx, key)
	return pair.Value, err
}

// Pair is Get with the key's revisions and version.
func (c Client) Pair(ctx context.Context, key string) (KeyValue, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, Get([]byte(key)), DecodeGet, true)
	if err == nil && result.Pair == nil {
		err = ErrNotFound
	}
	if err != nil {
		return KeyValue{}, fmt.Errorf("get %s: %w", quote.Short(key), err)
	}
	return *result.Pair, nil
}

// GetAt returns the value that a key had after sequence number at; ErrNotFound when it did not exist then,
// statemachine.ErrNotRetained when the replicas have given that state up.
func (c Client) GetAt(ctx context.Context, key string, at uint64) ([]byte, error) {
	var got GetResult
	result, err := c.caller.QueryAt(ctx, Get([]byte(key)), at)
	if err == nil {
		got, err = DecodeGet(result)
	}
	if err == nil && got.Pair == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get %s at sequence number %d: %w", quote.Short(key), at, err)
	}
	return got.Pair.Value, nil
}

// Written is what a put did, and the sequence number of the batch that it was executed in.
type Written struct {
	PutResult
	Seq uint64
}

// Put sets a key. Previous of the result is nil: PutPrevious asks for it.
func (c Client) Put(ctx context.Context, key string, value []byte) (Written, error) {
	return c.put(ctx, key, Put([]byte(key), value))
}

// PutPrevious is Put, and returns the pair that it replaced.
func (c Client) PutPrevious(ctx context.Context, key string, value []byte) (Written, error) {
	return c.put(ctx, key, PutPrevious([]byte(key), value))
}

func (c Client) put(ctx context.Context, key string, op []byte) (Written, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, op, DecodePut, false)
	if err != nil {
		return Written{}, fmt.Errorf("put %s: %w", quote.Short(key), err)
	}
	return Written{result, seq}, nil
}

// Removed is what a delete did, and the sequence number of its batch.
type Removed struct {
	DeleteRangeResult
	Seq uint64
}

// Delete removes a key. Deleted of the result is 0 if it did not exist.
func (c Client) Delete(ctx context.Context, key string) (Removed, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Delete([]byte(key)), DecodeDeleteRange, false)
	if err != nil {
		return Removed{}, fmt.Errorf("delete %s: %w", quote.Short(key), err)
	}
	return Removed{result, seq}, nil
}

// CompareAndSwap sets a key if it has the value old; a nil old stands for a key that does not exist. Succeeded of the
// result says whether it did.
func (c Client) CompareAndSwap(ctx context.Context, key string, old, value []byte) (Committed, error) {
	compare := Value([]byte(key), Equal, old)
	if old == nil {
		compare = Version([]byte(key), Equal, 0)
	}
	done, err := c.Txn(ctx, []Compare{compare}, [][]byte{Put([]byte(key), value)}, nil)
	if err != nil {
		return Committed{}, fmt.Errorf("compare and swap %s: %w", quote.Short(key), err)
	}
	return done, nil
}

// Committed is what a transaction did, and the sequence number of its batch.
type Committed struct {
	TxnResult
	Seq uint64
}

// Txn executes the operations of then if all compares hold, else those of orElse, as one step; see the function Txn. Each
// of the results decodes as that operation's own.
func (c Client) Txn(ctx context.Context, compares []Compare, then, orElse [][]byte) (Committed, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Txn(compares, then, orElse), DecodeTxn, false)
	if err != nil {
		return Committed{}, fmt.Errorf("transaction: %w", err)
	}
	return Committed{result, seq}, nil
}

// Reverted is what a revert did, and the sequence number of its batch.
type Reverted struct {
	RevertResult
	Seq uint64
}

// Revert gives the keys that begin with prefix the values that they had after sequence number to, as one step: see the
// function Revert. The error is statemachine.ErrNotRetained if that is longer ago than the cluster's history, and
// statemachine.ErrNotExecuted if it was not executed before; RevertSize says that it is too much for one operation and that
// nothing was changed.
func (c Client) Revert(ctx context.Context, prefix string, to uint64) (Reverted, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Revert([]byte(prefix), to), DecodeRevert, false)
	switch {
	case err == nil:
		return Reverted{result, seq}, nil
	case errors.Is(err, Unknown):
		err = ErrNoHistory
	case errors.Is(err, NotKept):
		err = statemachine.ErrNotRetained
	case errors.Is(err, NotYet):
		err = statemachine.ErrNotExecuted
	}
	return Reverted{}, fmt.Errorf("revert %s to sequence number %d: %w", quote.Short(prefix), to, err)
}

// Range returns the pairs start ≤ key < end in ascending order, at most limit of them; 0 stands for the machine's own
// limit, and an empty end for no end. When More is set, the result's Next is where to go on; Scan does so by itself.
func (c Client) Range(ctx context.Context, start, end string, limit int) (RangeResult, error) {
	return c.pairs(ctx, []byte(start), bound(end), limit)
}

// Prefix is Range over the keys that begin with prefix.
func (c Client) Prefix(ctx context.Context, prefix string, limit int) (RangeResult, error) {
	return c.pairs(ctx, []byte(prefix), PrefixEnd([]byte(prefix)), limit)
}

func (c Client) pairs(ctx context.Context, start, end []byte, limit int) (RangeResult, error) {
	most := uint32(min(max(limit, 0), MaxRangeKeys))
	result, _, err := statemachine.Ask(ctx, c.caller, Range(start, end, most), DecodeRange, true)
	if err != nil {
		return RangeResult{}, fmt.Errorf("range from %s: %w", quote.Short(start), err)
	}
	return result, nil
}

// scanPage is how many pairs a scan reads at once.
const scanPage = 1000

// Scan yields the pairs start ≤ key < end in ascending order, however many; an empty end means no end. They are read in
// pages, between which others may write: for one state of the whole range use ScanAt. An error ends the sequence.
func (c Client) Scan(ctx context.Context, start, end string) iter.Seq2[KeyValue, error] {
	return pages([]byte(start), func(from []byte) (RangeResult, error) {
		return c.pairs(ctx, from, bound(end), scanPage)
	})
}

// ScanPrefix is Scan over the keys that begin with prefix.
func (c Client) ScanPrefix(ctx context.Context, prefix string) iter.Seq2[KeyValue, error] {
	return c.Scan(ctx, prefix, string(PrefixEnd([]byte(prefix))))
}

// ScanAt is Scan of the state after sequence number at, for all pages. It fails with statemachine.ErrNotRetained when the
// replicas give the state up before its end.
func (c Client) ScanAt(ctx context.Context, start, end string, at uint64) iter.Seq2[KeyValue, error] {
	return pages([]byte(start), func(from []byte) (RangeResult, error) {
		result, err := c.caller.QueryAt(ctx, Range(from, bound(end), scanPage), at)
		if err != nil {
			return RangeResult{}, fmt.Errorf("range from %s at sequence number %d: %w", quote.Short(from), at, err)
		}
		return DecodeRange(result)
	})
}

// ScanPrefixAt is ScanAt over the keys that begin with prefix.
func (c Client) ScanPrefixAt(ctx context.Context, prefix string, at uint64) iter.Seq2[KeyValue, error] {
	return c.ScanAt(ctx, prefix, string(PrefixEnd([]byte(prefix))), at)
}

// pages yields the pairs of one page after the other.
func pages(from []byte, read func(from []byte) (RangeResult, error)) iter.Seq2[KeyValue, error] {
	return func(yield func(KeyValue, error) bool) {
		for at := from; ; {
			page, err := read(at)
			if err != nil {
				yield(KeyValue{}, err)
				return
			}
			for _, pair := range page.Pairs {
				if !yield(pair, nil) {
					return
				}
			}
			if at = page.Next(); at == nil {
				return
			}
		}
	}
}

// bound is the end of a range: nil if there is none.
func bound(end string) []byte {
	if end == "" {
		return nil
	}
	return []byte(end)
}
