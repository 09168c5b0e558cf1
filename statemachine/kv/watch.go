package kv

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"tagma/internal/quote"
	"tagma/statemachine"
)

// Update is what a watcher is told: all changes of one revision that match what it watches. Without events it says that
// nothing was changed up to the revision.
type Update struct {
	Revision uint64
	Events   []Event // by place
}

// Watch yields what was changed in the keys that begin with prefix after revision from, one revision after the other: each
// change once, in the order in which the cluster made them, through failures of replicas and connections. With from = 0 it
// begins with everything that the store ever held, if the history reaches back so far. An update without events says that
// nothing was changed up to its revision. To go on later, a caller remembers the revision of the last update.
//
// What is yielded was said by f+1 replicas: see [tagma/client.Client.Watch], which also tells how a watch ends. If the
// history does not reach back to from, or the caller falls behind it, the error is a *Compacted: its Oldest is a revision
// that can be read (ScanAtRevision), and from which the next watch can go on. The error is ErrNoHistory if the cluster
// keeps none.
func (c Client) Watch(ctx context.Context, prefix string, from uint64) iter.Seq2[Update, error] {
	return c.WatchRange(ctx, prefix, string(PrefixEnd([]byte(prefix))), from)
}

// WatchKey is Watch for one key.
func (c Client) WatchKey(ctx context.Context, key string, from uint64) iter.Seq2[Update, error] {
	return c.WatchRange(ctx, key, string(Next([]byte(key))), from)
}

// WatchRange is Watch for the keys start ≤ key < end; an empty end means no end.
func (c Client) WatchRange(ctx context.Context, start, end string, from uint64) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		for told, err := range statemachine.Watch(ctx, c.caller, []byte(start), bound(end), max(from, firstRevision)) {
			update := Update{Revision: told.Revision}
			if err == nil {
				update.Events, err = decodeEvents(told.Events)
			}
			if errors.Is(err, statemachine.ErrNotFollowed) {
				err = ErrNoHistory
			}
			if err != nil {
				err = fmt.Errorf("watch %s from revision %d: %w", quote.Short(start), from, err)
			}
			if !yield(update, err) || err != nil {
				return
			}
		}
	}
}

func decodeEvents(encoded [][]byte) (events []Event, err error) {
	for i, b := range encoded {
		e, err := DecodeEvent(b)
		if err != nil {
			return nil, err
		}
		e.Place = i
		events = append(events, e)
	}
	return events, nil
}

// Revision returns the store's present revision: that of the last change that was acknowledged before the call, or of a
// later one. A watch from it misses nothing that is changed afterwards.
func (c Client) Revision(ctx context.Context) (uint64, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, Get([]byte{0}), DecodeGet, true)
	if err != nil {
		return 0, fmt.Errorf("read the store's revision: %w", err)
	}
	return result.Revision, nil
}

// GetAtRevision returns the pair that a key had at a revision. The error is ErrNotFound if the key did not exist then, a
// *Compacted if the history does not reach back to the revision, and NotYetRevision if it does not exist yet.
func (c Client) GetAtRevision(ctx context.Context, key string, rev uint64) (KeyValue, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, AtRevision(rev, Get([]byte(key))), DecodeGet, true)
	switch {
	case err == nil && result.Pair == nil:
		err = ErrNotFound
	case errors.Is(err, Unknown):
		err = ErrNoHistory
	}
	if err != nil {
		return KeyValue{}, fmt.Errorf("get %s at revision %d: %w", quote.Short(key), rev, err)
	}
	return *result.Pair, nil
}

// ScanAtRevision yields the pairs start ≤ key < end as they were at a revision, in ascending order; an empty end means no
// end. It reads them in pages, all of the same revision. The errors are those of GetAtRevision, but for ErrNotFound.
func (c Client) ScanAtRevision(ctx context.Context, start, end string, rev uint64) iter.Seq2[KeyValue, error] {
	return pages([]byte(start), func(from []byte) (RangeResult, error) {
		result, _, err := statemachine.Ask(ctx, c.caller, AtRevision(rev, Range(from, bound(end), scanPage)), DecodeRange, true)
		if errors.Is(err, Unknown) {
			err = ErrNoHistory
		}
		if err != nil {
			return RangeResult{}, fmt.Errorf("range from %s at revision %d: %w", quote.Short(from), rev, err)
		}
		return result, nil
	})
}

// Compact gives up the history before a revision; see the function Compact. It returns the store's revision.
func (c Client) Compact(ctx context.Context, rev uint64) (uint64, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, Compact(rev), DecodeCompact, false)
	if errors.Is(err, Unknown) {
		err = ErrNoHistory
	}
	if err != nil {
		return 0, fmt.Errorf("compact to revision %d: %w", rev, err)
	}
	return result.Revision, nil
}
