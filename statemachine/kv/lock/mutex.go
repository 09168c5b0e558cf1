package lock

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tagma/internal/quote"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// ErrLocked says that somebody else holds the mutex.
var ErrLocked = errors.New("somebody else holds it")

// Mutex is a lock that at most one of all who use its name holds. A Mutex is used by one goroutine at a time, for one
// locking after the other; two mutexes of a session exclude each other like those of two sessions.
//
// Who wants it puts a key under the name, attached to the session's lease. Whose key was created first holds it.
type Mutex struct {
	session *Session
	prefix  string
	key     string
	value   []byte
	fence   uint64
}

// NewMutex returns the mutex of a name. The keys that begin with the name and a slash are its own.
func NewMutex(s *Session, name string) *Mutex {
	m := &Mutex{session: s, prefix: name + "/"}
	m.key = fmt.Sprintf("%s%016x.%d", m.prefix, s.lease, s.number())
	return m
}

// Lock waits until the mutex is held, and returns its fence: a revision of the store that is higher than that of every
// holder before. The error is ErrEnded if the session ends. If ctx ends, the mutex is not wanted any more.
func (m *Mutex) Lock(ctx context.Context) (fence uint64, err error) { return m.lock(ctx, true) }

// TryLock is Lock, but does not wait: if somebody else holds the mutex, the error is ErrLocked.
func (m *Mutex) TryLock(ctx context.Context) (fence uint64, err error) { return m.lock(ctx, false) }

// Unlock frees the mutex.
func (m *Mutex) Unlock(ctx context.Context) error {
	m.fence = 0
	if _, err := m.session.client.Delete(ctx, m.key); err != nil {
		return fmt.Errorf("unlock %s: %w", quote.Short(m.prefix), err)
	}
	return nil
}

// Fence is the fence of the present holding; 0 if the mutex was not locked.
func (m *Mutex) Fence() uint64 { return m.fence }

// Held is a compare that holds exactly as long as this mutex is held under its fence. In a transaction it keeps out the
// changes of a former holder.
func (m *Mutex) Held() kv.Compare {
	if m.fence == 0 { // a key that does not exist has the create revision 0
		return kv.CreateRevision([]byte(m.key), kv.Equal, math.MaxUint64)
	}
	return kv.CreateRevision([]byte(m.key), kv.Equal, m.fence)
}

func (m *Mutex) lock(ctx context.Context, wait bool) (fence uint64, err error) {
	if err := m.session.alive(); err != nil {
		return 0, m.failed(err)
	}
	bound, cancel, why := m.session.bind(ctx)
	defer cancel()
	put, err := m.session.client.PutLeased(bound, m.key, m.value, m.session.lease)
	if errors.Is(err, kv.NoLease) {
		err = ErrEnded
	}
	if err == nil {
		err = m.reach(bound, put.Revision, wait)
	}
	if err != nil {
		m.withdraw()
		return 0, m.failed(why(err))
	}
	m.fence = put.Revision
	return m.fence, nil
}

func (m *Mutex) failed(err error) error { return fmt.Errorf("lock %s: %w", quote.Short(m.prefix), err) }

// withdrawWithin bounds the attempt to delete the key of a mutex that is not wanted any more. If it fails, the key ends with
// the session.
const withdrawWithin = 5 * time.Second

func (m *Mutex) withdraw() {
	ctx, cancel := context.WithTimeout(context.Background(), withdrawWithin)
	defer cancel()
	_, _ = m.session.client.Delete(ctx, m.key) // the lease deletes it otherwise
}

// reach waits until no key of the mutex was created before the own one.
func (m *Mutex) reach(ctx context.Context, own uint64, wait bool) error {
	for {
		before, rev, err := m.before(ctx, own)
		switch {
		case err != nil:
			return err
		case before.Key == nil:
			return m.session.alive()
		case !wait:
			return ErrLocked
		}
		if err := gone(ctx, m.session.client, before, rev); err != nil {
			return err
		}
	}
}

// before finds the pair that was created last before the own one, and a revision at which it existed or still exists; the
// pair's key is nil if there is none.
func (m *Mutex) before(ctx context.Context, own uint64) (before kv.KeyValue, rev uint64, err error) {
	rev, err = m.session.client.Revision(ctx)
	if err != nil {
		return kv.KeyValue{}, 0, err
	}
	found := false
	for pair, err := range m.session.client.ScanPrefix(ctx, m.prefix) {
		if err != nil {
			return kv.KeyValue{}, 0, err
		}
		found = found || pair.CreateRevision == own
		if pair.CreateRevision < own && pair.CreateRevision > before.CreateRevision {
			before = pair
		}
	}
	if !found {
		return kv.KeyValue{}, 0, ErrEnded // the own key is gone, and only the end of the lease deletes it
	}
	return before, rev, nil
}

// lookAgain is how often a key is read where the cluster does not tell changes.
const lookAgain = 100 * time.Millisecond

// gone waits until a pair is deleted that was created before a revision and read after it.
func gone(ctx context.Context, c kv.Client, pair kv.KeyValue, rev uint64) error {
	for update, err := range c.WatchKey(ctx, string(pair.Key), rev) {
		var compacted *kv.Compacted
		switch {
		case errors.Is(err, kv.ErrNoHistory) || errors.Is(err, statemachine.ErrNotFollowed) || errors.As(err, &compacted):
			return goneByReading(ctx, c, pair)
		case err != nil:
			return err
		}
		for i := range update.Events {
			if update.Events[i].Type == kv.EventDelete {
				return nil
			}
		}
	}
	return ctx.Err()
}

// goneByReading also ends if the key was deleted and created anew between two reads: its mutex may be locked again, behind
// this one.
func goneByReading(ctx context.Context, c kv.Client, pair kv.KeyValue) error {
	for {
		switch now, err := c.Pair(ctx, string(pair.Key)); {
		case errors.Is(err, kv.ErrNotFound):
			return nil
		case err != nil:
			return err
		case now.CreateRevision != pair.CreateRevision:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}
