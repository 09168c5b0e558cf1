package lock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tagma/client/clienttest"
	"tagma/statemachine/kv"
	"tagma/statemachine/kv/lock"
)

func begin(t *testing.T, c *clienttest.Client) *lock.Session {
	t.Helper()
	s, err := lock.NewSession(t.Context(), kv.NewClient(c), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s
}

func TestMutex_OneHoldsItAndFencesRise(t *testing.T) {
	c := clienttest.New(kv.MachineName, kv.Machine{})
	store := kv.NewClient(c)
	const programs, rounds = 4, 5
	var running sync.WaitGroup
	var mu sync.Mutex
	holders, last := 0, uint64(0)
	for p := range programs {
		s := begin(t, c.As([32]byte{byte(p + 10)}))
		running.Go(func() {
			m := lock.NewMutex(s, "jobs")
			for range rounds {
				fence, err := m.Lock(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if holders++; holders != 1 || fence <= last || fence != m.Fence() {
					t.Errorf("%d holders, fence %d after %d", holders, fence, last)
				}
				last = fence
				mu.Unlock()
				done, err := store.Txn(t.Context(), []kv.Compare{m.Held()}, [][]byte{kv.Put([]byte("work"), nil)}, nil)
				if err != nil || !done.Succeeded {
					t.Errorf("the holder's own change: %+v, %v", done, err)
				}
				mu.Lock()
				holders--
				mu.Unlock()
				if err := m.Unlock(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	pair, err := store.Pair(t.Context(), "work")
	if err != nil || pair.Version != programs*rounds {
		t.Errorf("%d changes, %v", pair.Version, err)
	}
}

// When a holder's lease ends, the next one gets the mutex, and a change of the former holder is kept out.
func TestMutex_OfAHolderWhoseLeaseEndedGoesToTheNext(t *testing.T) {
	c := clienttest.New(kv.MachineName, kv.Machine{})
	store := kv.NewClient(c)
	one, two := begin(t, c), begin(t, c.As([32]byte{2}))
	first, second := lock.NewMutex(one, "jobs"), lock.NewMutex(two, "jobs")
	before, err := first.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.TryLock(t.Context()); !errors.Is(err, lock.ErrLocked) {
		t.Fatalf("tried beside the holder: %v", err)
	}
	if _, err := store.Revoke(t.Context(), one.Lease()); err != nil {
		t.Fatal(err)
	}
	after, err := second.Lock(t.Context())
	if err != nil || after <= before {
		t.Fatalf("fence %d after %d, %v", after, before, err)
	}
	late, err := store.Txn(t.Context(), []kv.Compare{first.Held()}, [][]byte{kv.Put([]byte("work"), nil)}, nil)
	if err != nil || late.Succeeded {
		t.Errorf("a change of the former holder: %+v, %v", late, err)
	}
	if _, err := first.Lock(t.Context()); !errors.Is(err, lock.ErrEnded) {
		t.Errorf("locked in a session whose lease is revoked: %v", err)
	}
}

func TestMutex_WhoGivesUpDoesNotStandInTheWay(t *testing.T) {
	c := clienttest.New(kv.MachineName, kv.Machine{})
	one, two := begin(t, c), begin(t, c.As([32]byte{2}))
	first, second := lock.NewMutex(one, "jobs"), lock.NewMutex(two, "jobs")
	if _, err := first.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := second.Lock(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("locked with a context that has ended: %v", err)
	}
	if err := first.Unlock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.NewMutex(one, "jobs").TryLock(t.Context()); err != nil {
		t.Errorf("locked after everybody gave up: %v", err)
	}
}

func TestSession_CloseFreesItsMutexes(t *testing.T) {
	c := clienttest.New(kv.MachineName, kv.Machine{})
	one, two := begin(t, c), begin(t, c.As([32]byte{2}))
	if _, err := lock.NewMutex(one, "jobs").Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := one.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-one.Done()
	if _, err := lock.NewMutex(two, "jobs").TryLock(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := lock.NewMutex(one, "jobs").Lock(t.Context()); !errors.Is(err, lock.ErrEnded) {
		t.Errorf("locked in a closed session: %v", err)
	}
}

func TestElection_TheFirstCandidateLeadsUntilItResigns(t *testing.T) {
	c := clienttest.New(kv.MachineName, kv.Machine{})
	store := kv.NewClient(c)
	if _, err := lock.LeaderOf(t.Context(), store, "boss"); !errors.Is(err, lock.ErrNoLeader) {
		t.Errorf("before the election: %v", err)
	}
	one, two := lock.NewElection(begin(t, c), "boss"), lock.NewElection(begin(t, c.As([32]byte{2})), "boss")
	if _, err := one.Campaign(t.Context(), []byte("one")); err != nil {
		t.Fatal(err)
	}
	won := make(chan error, 1)
	go func() {
		_, err := two.Campaign(t.Context(), []byte("two"))
		won <- err
	}()
	if err := one.Proclaim(t.Context(), []byte("still one")); err != nil {
		t.Fatal(err)
	}
	if leader, err := lock.LeaderOf(t.Context(), store, "boss"); err != nil || string(leader.Value) != "still one" {
		t.Errorf("%+v, %v", leader, err)
	}
	if err := one.Resign(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-won; err != nil {
		t.Fatal(err)
	}
	if leader, err := lock.LeaderOf(t.Context(), store, "boss"); err != nil || string(leader.Value) != "two" {
		t.Errorf("%+v, %v", leader, err)
	}
	if err := one.Proclaim(t.Context(), []byte("again")); !errors.Is(err, lock.ErrEnded) {
		t.Errorf("a former leader proclaims: %v", err)
	}
}
