package client

import (
	"context"
	"fmt"
	"iter"

	"tagma/statemachine/kv"
)

// scanPage is how many pairs a scan reads at once.
const scanPage = 1000

// Scan yields the pairs start ≤ key < end of the key-value machine in ascending order, however many; an empty end means
// no end. They are read in pages, between which others may write: for one state of the whole range use ScanAt. An error
// ends the sequence.
func (c *Client) Scan(ctx context.Context, start, end string) iter.Seq2[kv.KeyValue, error] {
	return pages([]byte(start), func(from []byte) (kv.RangeResult, error) {
		return c.pairs(ctx, from, bound(end), scanPage)
	})
}

// ScanPrefix is Scan over the keys that begin with prefix.
func (c *Client) ScanPrefix(ctx context.Context, prefix string) iter.Seq2[kv.KeyValue, error] {
	return c.Scan(ctx, prefix, string(kv.PrefixEnd([]byte(prefix))))
}

// ScanAt is Scan of the state after sequence number at, for all pages. It fails with ErrNotRetained when the replicas
// give the state up before its end.
func (c *Client) ScanAt(ctx context.Context, start, end string, at uint64) iter.Seq2[kv.KeyValue, error] {
	return pages([]byte(start), func(from []byte) (kv.RangeResult, error) {
		result, err := c.QueryAt(ctx, kv.Range(from, bound(end), scanPage), at)
		if err != nil {
			return kv.RangeResult{}, fmt.Errorf("range from %q at sequence number %d: %w", from, at, err)
		}
		return kv.DecodeRange(result)
	})
}

// ScanPrefixAt is ScanAt over the keys that begin with prefix.
func (c *Client) ScanPrefixAt(ctx context.Context, prefix string, at uint64) iter.Seq2[kv.KeyValue, error] {
	return c.ScanAt(ctx, prefix, string(kv.PrefixEnd([]byte(prefix))), at)
}

// pages yields the pairs of one page after the other.
func pages(from []byte, read func(from []byte) (kv.RangeResult, error)) iter.Seq2[kv.KeyValue, error] {
	return func(yield func(kv.KeyValue, error) bool) {
		for at := from; ; {
			page, err := read(at)
			if err != nil {
				yield(kv.KeyValue{}, err)
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
