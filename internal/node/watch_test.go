package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tagma/client"
	"tagma/internal/cluster"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// watched is a small cluster's protocol with a history to watch.
func watched(revisions int) cluster.Protocol {
	p := small
	p.FirstVersion, p.HistoryRevisions = 2, revisions
	return p
}

// watcher follows a prefix and checks that what it is told rises.
type watcher struct {
	prefix string
	mu     sync.Mutex
	seen   []kv.Event
	upto   uint64
	heard  chan struct{}
	err    error
	done   chan struct{}
}

func startWatch(ctx context.Context, c *client.Client, prefix string, from uint64) *watcher {
	w := &watcher{prefix: prefix, heard: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for u, err := range kv.NewClient(c).Watch(ctx, prefix, from) {
			w.mu.Lock()
			if err != nil {
				w.err = err
			} else {
				w.seen, w.upto = append(w.seen, u.Events...), u.Revision
			}
			w.mu.Unlock()
			select {
			case w.heard <- struct{}{}:
			default:
			}
		}
	}()
	return w
}

// until waits until the watcher was told everything up to a revision.
func (w *watcher) until(ctx context.Context, t *testing.T, rev uint64) {
	t.Helper()
	for {
		w.mu.Lock()
		upto, err := w.upto, w.err
		w.mu.Unlock()
		if upto >= rev {
			return
		}
		if err != nil {
			t.Fatalf("the watch of %q ended at revision %d: %v", w.prefix, upto, err)
		}
		select {
		case <-w.heard:
		case <-ctx.Done():
			t.Fatalf("the watch of %q was told up to revision %d of %d", w.prefix, upto, rev)
		}
	}
}

// check compares what the watcher saw with the log of a replica's state.
func (w *watcher) check(t *testing.T, history []kv.Event, from, upto uint64) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	i := 0
	for _, want := range history {
		if want.Revision <= from || want.Revision > upto || !strings.HasPrefix(string(want.Pair.Key), w.prefix) {
			continue
		}
		if i == len(w.seen) {
			t.Fatalf("the watch of %q lacks revision %d, %s", w.prefix, want.Revision, want.Pair.Key)
		}
		if got := w.seen[i]; got.Revision != want.Revision || string(got.Pair.Key) != string(want.Pair.Key) || string(got.Pair.Value) != string(want.Pair.Value) {
			t.Fatalf("event %d of the watch of %q: revision %d of %s, want revision %d of %s", i, w.prefix, got.Revision, got.Pair.Key, want.Revision, want.Pair.Key)
		}
		i++
	}
	if i < len(w.seen) && w.seen[i].Revision <= upto {
		t.Fatalf("the watch of %q saw revision %d, which does not exist there", w.prefix, w.seen[i].Revision)
	}
}

// logged reads the changes in a replica's own state.
func (b *testbed) logged(i int) (events []kv.Event) {
	b.t.Helper()
	err := b.nodes[i].follow(func(r statemachine.Reader, m statemachine.Followed) {
		for c := range m.Changes(r, 1) {
			e, err := kv.DecodeEvent(c.Event)
			if err != nil {
				b.t.Error(err)
			}
			events = append(events, e)
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return events
}

func TestWatch_TellsChangesOnceAndInOrderThroughKillsAndViewChanges(t *testing.T) {
	const kills = 50
	b := newTestbed(t, 4, watched(1_000_000))
	b.startAll()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, _ := b.dial()
	var watchers []*watcher
	for i := range 5 {
		watchers = append(watchers, startWatch(ctx, c, fmt.Sprintf("k%d/", i), 1))
	}
	watchers = append(watchers, startWatch(ctx, c, "", 1))

	var stop atomic.Bool
	var last, puts atomic.Uint64
	var load sync.WaitGroup
	for w := range 4 {
		load.Go(func() {
			for n := 0; !stop.Load(); n++ {
				key := fmt.Sprintf("k%d/%d", (w+n)%5, n%50)
				var rev uint64
				var err error
				switch n % 10 {
				case 7:
					var r kv.Removed
					r, err = kv.NewClient(c).Delete(ctx, key)
					rev = r.Revision
				case 8:
					var r kv.Committed
					r, err = kv.NewClient(c).Txn(ctx, nil, [][]byte{kv.Put([]byte(key), []byte{1}), kv.Put([]byte("k0/t"), []byte{byte(n)})}, nil)
					rev = r.Revision
				default:
					var r kv.Written
					r, err = kv.NewClient(c).Put(ctx, key, []byte(fmt.Sprint(w, n)))
					rev = r.Revision
				}
				if err != nil {
					t.Errorf("load: %v", err)
					return
				}
				puts.Add(1)
				for seen := last.Load(); rev > seen && !last.CompareAndSwap(seen, rev); seen = last.Load() {
				}
			}
		})
	}
	view := func() (highest wire.View) {
		for _, n := range b.nodes {
			if n != nil {
				highest = max(highest, n.inspection().View)
			}
		}
		return highest
	}
	for i := range kills {
		at := puts.Load() + 20
		b.until("some progress", func([]Report) bool {
			return puts.Load() >= at
		})
		id, left := i%4, view()
		if i%5 == 0 { // the primary, which stays away until the others have another one
			id = int(left) % 4
		}
		b.halt(id)
		if i%5 == 0 {
			b.until("the others change the view", func([]Report) bool { return view() > left })
		}
		b.start(id)
	}
	stop.Store(true)
	load.Wait()
	rev := last.Load()
	wait, end := context.WithTimeout(ctx, patience)
	defer end()
	for _, w := range watchers {
		w.until(wait, t, rev)
	}
	b.until("every replica has executed everything", func(r []Report) bool {
		for _, x := range r[1:] {
			if x.Executed != r[0].Executed {
				return false
			}
		}
		return len(r) == 4
	})
	history := b.logged(0)
	for _, w := range watchers {
		w.check(t, history, 1, rev)
	}
	if changes := view(); changes < kills/5 {
		t.Errorf("%d view changes, want at least %d", changes, kills/5)
	}
	t.Logf("%d operations, revision %d, view %d, %d events at the watcher of everything", puts.Load(), rev, view(), len(watchers[5].seen))

	again := startWatch(ctx, c, "k1/", rev/2)
	again.until(wait, t, rev)
	again.check(t, history, rev/2, rev)

	if _, err := kv.NewClient(c).Compact(ctx, rev-5); err != nil {
		t.Fatal(err)
	}
	late := startWatch(ctx, c, "k1/", rev/2)
	<-late.done
	var gone *kv.Compacted
	if !errors.As(late.err, &gone) || gone.Oldest != rev-5 {
		t.Fatalf("a watch from a compacted revision ended with %v", late.err)
	}
	resumed := startWatch(ctx, c, "k1/", gone.Oldest)
	resumed.until(wait, t, rev)
	resumed.check(t, history, gone.Oldest, rev)
}
