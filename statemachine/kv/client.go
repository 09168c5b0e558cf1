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
	// ErrNotFound says that the key does not exist, or did not exist in the past state that was read.
	ErrNotFound = errors.New("key not found")
	// ErrNoHistory says that the cluster keeps no former states to which it could revert.
	ErrNoHistory = errors.New("the cluster keeps no history; set history in [protocol] of its cluster.toml")
)

// Client calls the key-value machine on a cluster that runs it. When the machine refuses an operation, the error is a
// Code. A Client is as safe for concurrent use as its caller.
type Client struct{ caller statemachine.Caller }

// MachineName is this machine's name in cluster files, unless a program gives it another one.
const MachineName = "kv"

// NewClient returns a Client that sends its operations through a caller, such as a *client.Client. If the cluster runs
// another machine, every call ends with statemachine.ErrWrongMachine, and nothing is sent.
func NewClient(caller statemachine.Caller) Client { return NewClientOf(caller, MachineName) }

// NewClientOf is NewClient for a cluster whose program gives this machine another name.
func NewClientOf(caller statemachine.Caller, machine string) Client {
	return Client{statemachine.For(caller, machine)}
}

// Get returns the value of a key, or ErrNotFound if the key does not exist. It sees every write, of any client, that
// was acknowledged before the call.
func (c Client) Get(ctx context.Context, key string) ([]byte, error) {
	pair, err := c.Pair(ctx, key)
	return pair.Value, err
}

// Found is a pair with its revisions and version, the store's revision, and the sequence number of the batch that read it.
type Found struct {
	KeyValue
	Revision uint64
	Seq      uint64
}

// Pair is Get that also returns the key's revisions and version. With ErrNotFound it returns the store's revision and
// the sequence number.
func (c Client) Pair(ctx context.Context, key string) (Found, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Get([]byte(key)), DecodeGet, true)
	found := Found{Revision: result.Revision, Seq: seq}
	switch {
	case err == nil && result.Pair == nil:
		err = ErrNotFound
	case err == nil:
		found.KeyValue = *result.Pair
	}
	if err != nil {
		return found, fmt.Errorf("get %s: %w", quote.Short(key), err)
	}
	return found, nil
}

// GetAt returns the value that a key had after sequence number at. The error is ErrNotFound if the key did not exist
// then, and statemachine.ErrNotRetained if the replicas no longer keep that state.
func (c Client) GetAt(ctx context.Context, key string, at uint64) ([]byte, error) {
	got, err := statemachine.AskAt(ctx, c.caller, Get([]byte(key)), DecodeGet, at)
	if err == nil && got.Pair == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get %s at sequence number %d: %w", quote.Short(key), at, err)
	}
	return got.Pair.Value, nil
}

// Proven is what a key held in the state of a stable checkpoint.
type Proven struct {
	Key      string
	Pair     *KeyValue // nil: the key did not exist
	Seq      uint64    // of the checkpoint
	Document []byte    // the proof, which `tagma verify` and client.Cluster.VerifyRead verify
}

// ProvenGet returns what a key held in the state of a stable checkpoint at sequence number from or above, with a proof
// that others can verify. One replica's answer suffices; a lie is noticed, and another replica is asked. The checkpoint
// may be older than the newest value: give the Seq of a write as from to read at least that write.
func (c Client) ProvenGet(ctx context.Context, key string, from uint64) (*Proven, error) {
	fail := func(err error) (*Proven, error) { return nil, fmt.Errorf("prove %s: %w", quote.Short(key), err) }
	prover, can := c.caller.(statemachine.Prover)
	if !can {
		return fail(statemachine.ErrNoProver)
	}
	p, err := prover.Prove(ctx, pairKey([]byte(key)), from)
	if err != nil {
		return fail(err)
	}
	proven := &Proven{Key: key, Seq: p.Seq, Document: p.Document}
	if p.Found {
		pair, ok := PairIn(p.Key, p.Value)
		if !ok {
			return fail(errors.New("the state holds no pair under this key"))
		}
		proven.Pair = &pair
	}
	return proven, nil
}

// KeyIn returns the key of the pair that is stored under a key of the application; false if no pair is stored there.
func KeyIn(stored []byte) (key []byte, ok bool) {
	if len(stored) == 0 || stored[0] != pairPrefix {
		return nil, false
	}
	return stored[1:], true
}

// PairIn reads a pair as the state holds it, for whoever has a proof of it; false if it is none.
func PairIn(stored, record []byte) (pair KeyValue, ok bool) {
	key, ok := KeyIn(stored)
	if !ok || len(record) < recordHeader {
		return KeyValue{}, false
	}
	return decodePair(key, record), true
}

// Written is the result of a put, with the sequence number of the batch that executed it.
type Written struct {
	PutResult
	Seq uint64
}

// Put sets a key. The result's Previous is nil; PutPrevious returns it.
func (c Client) Put(ctx context.Context, key string, value []byte) (Written, error) {
	return c.put(ctx, key, Put([]byte(key), value))
}

// PutPrevious is a Put that returns the pair that it replaced.
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

// Removed is the result of a delete, with the sequence number of the batch that executed it.
type Removed struct {
	DeleteRangeResult
	Seq uint64
}

// Delete removes a key. The result's Deleted is 0 if the key did not exist.
func (c Client) Delete(ctx context.Context, key string) (Removed, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Delete([]byte(key)), DecodeDeleteRange, false)
	if err != nil {
		return Removed{}, fmt.Errorf("delete %s: %w", quote.Short(key), err)
	}
	return Removed{result, seq}, nil
}

// DeleteRange removes the keys start ≤ key < end as one step; an empty end means no end. The result's Deleted is their
// number.
func (c Client) DeleteRange(ctx context.Context, start, end string) (Removed, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, DeleteRange([]byte(start), bound(end)), DecodeDeleteRange, false)
	if err != nil {
		return Removed{}, fmt.Errorf("delete the range from %s: %w", quote.Short(start), err)
	}
	return Removed{result, seq}, nil
}

// Swapped is the result of a compare-and-swap. If it succeeded, Revision is the key's new ModRevision.
type Swapped struct {
	Committed
	Current *KeyValue // if it did not succeed: the pair that the key has; nil if the key does not exist
}

// CompareAndSwap sets a key if its value is old; a nil old means that the key must not exist. The result's Succeeded
// says whether it was set. If not, Current is the key's present pair, so that the next attempt needs no read.
func (c Client) CompareAndSwap(ctx context.Context, key string, old, value []byte) (Swapped, error) {
	compare := Value([]byte(key), Equal, old)
	if old == nil {
		compare = Version([]byte(key), Equal, 0)
	}
	return c.swap(ctx, key, compare, Put([]byte(key), value))
}

// SwapRevision is CompareAndSwap on the key's ModRevision, which never returns to a former number, unlike a value.
// Revision 0 means that the key must not exist.
func (c Client) SwapRevision(ctx context.Context, key string, revision uint64, value []byte) (Swapped, error) {
	return c.swap(ctx, key, ModRevision([]byte(key), Equal, revision), Put([]byte(key), value))
}

// DeleteRevision removes a key if its ModRevision is the given one.
func (c Client) DeleteRevision(ctx context.Context, key string, revision uint64) (Swapped, error) {
	return c.swap(ctx, key, ModRevision([]byte(key), Equal, revision), Delete([]byte(key)))
}

func (c Client) swap(ctx context.Context, key string, compare Compare, op []byte) (Swapped, error) {
	done, err := c.Txn(ctx, []Compare{compare}, [][]byte{op}, [][]byte{Get([]byte(key))})
	out := Swapped{Committed: done}
	if err == nil && !done.Succeeded {
		var current GetResult
		if len(done.Results) != 1 {
			err = ErrResult
		} else if current, err = DecodeGet(done.Results[0]); err == nil {
			out.Current = current.Pair
		}
	}
	if err != nil {
		return Swapped{}, fmt.Errorf("compare and swap %s: %w", quote.Short(key), err)
	}
	return out, nil
}

// Committed is the result of a transaction, with the sequence number of the batch that executed it.
type Committed struct {
	TxnResult
	Seq uint64
}

// Txn executes the operations of then if all compares hold, else those of orElse, as one step; see the function Txn.
// Each result decodes as the result of its operation.
func (c Client) Txn(ctx context.Context, compares []Compare, then, orElse [][]byte) (Committed, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Txn(compares, then, orElse), DecodeTxn, false)
	if err != nil {
		return Committed{}, fmt.Errorf("transaction: %w", err)
	}
	return Committed{result, seq}, nil
}

// Reverted is the result of a revert, with the sequence number of the batch that executed it.
type Reverted struct {
	RevertResult
	Seq uint64
}

// Revert gives the keys that begin with prefix the values that they had after sequence number to, as one step; see the
// function Revert. The error is statemachine.ErrNotRetained if the cluster's history does not reach back that far,
// statemachine.ErrNotExecuted if that state did not exist before the revert, and RevertSize if one operation cannot
// change that much; then nothing was changed.
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

// Page is a number of pairs in ascending order, with the sequence number of the batch that read them.
type Page struct {
	RangeResult
	Seq uint64
}

// Counted is a number of keys, with the sequence number of the batch that counted them.
type Counted struct {
	CountResult
	Seq uint64
}

// Count counts the keys start ≤ key < end; an empty end means no end.
func (c Client) Count(ctx context.Context, start, end string) (Counted, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Count([]byte(start), bound(end)), DecodeCount, true)
	if err != nil {
		return Counted{}, fmt.Errorf("count from %s: %w", quote.Short(start), err)
	}
	return Counted{result, seq}, nil
}

// Range returns the pairs start ≤ key < end in ascending order, at most limit of them; 0 stands for the machine's own
// limit, and an empty end for no end. If More is set, the result's Next is where to continue; Scan continues by itself.
func (c Client) Range(ctx context.Context, start, end string, limit int) (Page, error) {
	return c.pairs(ctx, []byte(start), bound(end), limit)
}

// Prefix is Range over the keys that begin with prefix.
func (c Client) Prefix(ctx context.Context, prefix string, limit int) (Page, error) {
	return c.pairs(ctx, []byte(prefix), PrefixEnd([]byte(prefix)), limit)
}

func (c Client) pairs(ctx context.Context, start, end []byte, limit int) (Page, error) {
	most := uint32(min(max(limit, 0), MaxRangeKeys))
	result, seq, err := statemachine.Ask(ctx, c.caller, Range(start, end, most), DecodeRange, true)
	if err != nil {
		return Page{}, fmt.Errorf("range from %s: %w", quote.Short(start), err)
	}
	return Page{result, seq}, nil
}

// scanPage is how many pairs a scan reads at once.
const scanPage = 1000

// Scan yields the pairs start ≤ key < end in ascending order, however many; an empty end means no end. It reads them in
// pages, and other clients may write between two pages; ScanAt reads one state. An error ends the sequence.
func (c Client) Scan(ctx context.Context, start, end string) iter.Seq2[KeyValue, error] {
	return pages([]byte(start), func(from []byte) (RangeResult, error) {
		page, err := c.pairs(ctx, from, bound(end), scanPage)
		return page.RangeResult, err
	})
}

// ScanPrefix is Scan over the keys that begin with prefix.
func (c Client) ScanPrefix(ctx context.Context, prefix string) iter.Seq2[KeyValue, error] {
	return c.Scan(ctx, prefix, string(PrefixEnd([]byte(prefix))))
}

// ScanAt is Scan of the state after sequence number at, for all pages. The error is statemachine.ErrNotRetained if the
// replicas drop that state before the scan ends.
func (c Client) ScanAt(ctx context.Context, start, end string, at uint64) iter.Seq2[KeyValue, error] {
	return pages([]byte(start), func(from []byte) (RangeResult, error) {
		result, err := statemachine.AskAt(ctx, c.caller, Range(from, bound(end), scanPage), DecodeRange, at)
		if err != nil {
			return RangeResult{}, fmt.Errorf("range from %s at sequence number %d: %w", quote.Short(from), at, err)
		}
		return result, nil
	})
}

// ScanPrefixAt is ScanAt over the keys that begin with prefix.
func (c Client) ScanPrefixAt(ctx context.Context, prefix string, at uint64) iter.Seq2[KeyValue, error] {
	return c.ScanAt(ctx, prefix, string(PrefixEnd([]byte(prefix))), at)
}

// pages yields the pairs of all pages, one after the other.
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

// bound is the end of a range, nil if there is none.
func bound(end string) []byte {
	if end == "" {
		return nil
	}
	return []byte(end)
}
