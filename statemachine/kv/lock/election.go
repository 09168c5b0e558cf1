package lock

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"tagma/internal/quote"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// ErrNoLeader says that nobody leads.
var ErrNoLeader = errors.New("nobody leads")

// Election is a mutex whose holder is called the leader and says something about itself, such as its address.
type Election struct{ mutex *Mutex }

// NewElection returns the election of a name. The keys that begin with the name and a slash are its own.
func NewElection(s *Session, name string) *Election { return &Election{NewMutex(s, name)} }

// Campaign waits until this candidate leads, and returns its fence (see Mutex). Value is what others are told of it.
func (e *Election) Campaign(ctx context.Context, value []byte) (fence uint64, err error) {
	e.mutex.value = value
	return e.mutex.Lock(ctx)
}

// Proclaim changes what others are told of this leader. The error is ErrEnded if it leads no more.
func (e *Election) Proclaim(ctx context.Context, value []byte) error {
	m := e.mutex
	done, err := m.session.client.Txn(ctx, []kv.Compare{m.Held()}, [][]byte{kv.PutLeased([]byte(m.key), value, m.session.lease)}, nil)
	if err == nil && !done.Succeeded {
		err = ErrEnded
	}
	if err != nil {
		return fmt.Errorf("proclaim for %s: %w", quote.Short(m.prefix), err)
	}
	return nil
}

// Resign gives up the lead.
func (e *Election) Resign(ctx context.Context) error { return e.mutex.Unlock(ctx) }

// Held is a compare that holds exactly as long as this candidate leads (see Mutex).
func (e *Election) Held() kv.Compare { return e.mutex.Held() }

// Leader is who leads.
type Leader struct {
	Key   string
	Value []byte
	Fence uint64
}

// LeaderOf returns the leader of the election of a name, or ErrNoLeader. It needs no session.
func LeaderOf(ctx context.Context, c kv.Client, name string) (leader Leader, err error) {
	for pair, err := range c.ScanPrefix(ctx, name+"/") {
		if err != nil {
			return Leader{}, fmt.Errorf("leader of %s: %w", quote.Short(name), err)
		}
		if leader.Fence == 0 || pair.CreateRevision < leader.Fence {
			leader = Leader{Key: string(pair.Key), Value: pair.Value, Fence: pair.CreateRevision}
		}
	}
	if leader.Fence == 0 {
		return Leader{}, fmt.Errorf("leader of %s: %w", quote.Short(name), ErrNoLeader)
	}
	return leader, nil
}

// Observe yields the leader of the election of a name now, and again whenever another one leads or the leader proclaims
// something else; a zero Leader while nobody leads. An error ends it. The cluster must keep a history (kv.ErrNoHistory).
func Observe(ctx context.Context, c kv.Client, name string) iter.Seq2[Leader, error] {
	return func(yield func(Leader, error) bool) {
		rev, err := c.Revision(ctx)
		if err != nil {
			yield(Leader{}, err)
			return
		}
		var last Leader
		look := func() bool {
			leader, err := LeaderOf(ctx, c, name)
			if errors.Is(err, ErrNoLeader) {
				err = nil
			}
			if err == nil && leader.Fence == last.Fence && string(leader.Value) == string(last.Value) {
				return true
			}
			last = leader
			return yield(leader, err) && err == nil
		}
		if !look() {
			return
		}
		for update, err := range c.Watch(ctx, name+"/", rev) {
			if err != nil {
				if errors.Is(err, statemachine.ErrNotFollowed) {
					err = kv.ErrNoHistory
				}
				yield(Leader{}, err)
				return
			}
			if len(update.Events) > 0 && !look() {
				return
			}
		}
	}
}
