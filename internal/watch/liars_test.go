package watch_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// lies are what a faulty replica may do to what it says.
var lies = map[string]func(r *replica, m wire.Message) []wire.Message{
	"omits": func(r *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is && len(c.Items) > 0 && r.w.random.IntN(3) == 0 {
			c.Items = slices.Delete(slices.Clone(c.Items), 0, 1)
		}
		return []wire.Message{m}
	},
	"invents": func(r *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is && c.Outcome == wire.ChangesTold && len(c.Items) == 0 {
			c.Items = []wire.ChangeItem{{Revision: c.Upto, Events: [][]byte{[]byte("invented")}}}
		}
		return []wire.Message{m}
	},
	"invents one more": func(r *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is && c.Outcome == wire.ChangesTold {
			c.Upto++
			c.Items = append(slices.Clone(c.Items), wire.ChangeItem{Revision: c.Upto, Events: [][]byte{[]byte("invented")}})
		}
		return []wire.Message{m}
	},
	"alters": func(r *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is && len(c.Items) > 0 {
			c.Items = slices.Clone(c.Items)
			c.Items[0].Events = [][]byte{[]byte("altered")}
		}
		return []wire.Message{m}
	},
	"lies about the revision": func(r *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is && len(c.Items) > 0 {
			c.Items = slices.Clone(c.Items[:1])
			c.Items[0].Revision++
			c.Upto = c.Items[0].Revision
		}
		return []wire.Message{m}
	},
	"swaps": func(r *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is && len(c.Items) > 1 && !c.Items[0].More && !c.Items[1].More {
			c.Items = slices.Clone(c.Items)
			a, b := &c.Items[0], &c.Items[1]
			a.Events, b.Events, a.Digest, b.Digest = b.Events, a.Events, b.Digest, a.Digest
		}
		return []wire.Message{m}
	},
	"stops": func(r *replica, m wire.Message) []wire.Message {
		if r.w.truth.newest > 20 {
			return nil
		}
		return []wire.Message{m}
	},
	"claims progress too far": func(r *replica, m wire.Message) []wire.Message {
		switch m := m.(type) {
		case *wire.Progress:
			m.Upto += 1000
		case *wire.Changes:
			m.Upto += 3
		}
		return []wire.Message{m}
	},
	"says that it is compacted": func(r *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is && r.w.random.IntN(4) == 0 {
			return []wire.Message{&wire.Changes{ID: c.ID, Outcome: wire.ChangesCompacted, Upto: 1 << 40}}
		}
		return []wire.Message{m}
	},
	"refuses": func(_ *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is {
			return []wire.Message{&wire.Changes{ID: c.ID, Outcome: wire.ChangesRefused}}
		}
		return []wire.Message{m}
	},
	"repeats": func(_ *replica, m wire.Message) []wire.Message { return []wire.Message{m, m} },
	"sends digests alone": func(_ *replica, m wire.Message) []wire.Message {
		if c, is := m.(*wire.Changes); is {
			c.Items = slices.Clone(c.Items)
			for i := range c.Items {
				if len(c.Items[i].Events) > 0 {
					c.Items[i].Digest, c.Items[i].Events = wire.DigestChange(&c.Items[i]), nil
				}
			}
		}
		return []wire.Message{m}
	},
}

// C4 for watches: with f liars of any kind, lost links and replicas that lag, each watch sees each change once and in
// order, and everything in the end.
func TestWatch_FLiarsChangeNothingAndStopNothing(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(8) {
				n := 4 + 3*int(seed%2)
				w := newWorld(t, n, seed)
				for i := range (n - 1) / 3 {
					w.replicas[(int(seed)+i*2)%n].lie = lie
				}
				w.watch("", "", 1)
				w.watch("b", "c", 1)
				for i := range 3000 {
					if w.step(); i == 1500 {
						w.watch("a", "bx", w.truth.newest/2)
					}
				}
				w.finish()
				for _, x := range w.watches {
					if x.ended != nil {
						t.Fatalf("seed %d: a watch ended: %v", seed, x.ended)
					}
				}
			}
		})
	}
}

// An omission is a lie like another: f+1 liars that leave out the same change would be believed, f are not, and the
// replica that omitted is not asked again.
func TestWatch_AnOmissionNeedsAsManyLiarsAsAnInvention(t *testing.T) {
	for liars := range 3 {
		w := newWorld(t, 4, 1)
		for i := range liars {
			w.replicas[i].lie = func(_ *replica, m wire.Message) []wire.Message {
				if c, is := m.(*wire.Changes); is {
					c.Items = slices.DeleteFunc(slices.Clone(c.Items), func(i wire.ChangeItem) bool { return i.Revision == 3 })
				}
				return []wire.Message{m}
			}
		}
		for range 6 {
			w.grow()
		}
		w.unchecked = true
		x := w.watch("", "", 1)
		w.finish()
		if missed := len(x.seen) < 6; missed != (liars == 2) {
			t.Errorf("%d of 4 omit revision 3: %d of 6 revisions were seen", liars, len(x.seen))
		}
	}
}

// A watch from a revision that is compacted ends when f+1 replicas say so, and names a revision that one correct replica
// has.
func TestWatch_CompactionIsToldOnTheWordOfFPlusOne(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, 4, seed)
		for range 30 {
			w.grow()
		}
		w.replicas[0].lie = lies["says that it is compacted"]
		for _, r := range w.replicas[1:] {
			r.state.newest, r.state.oldest = w.truth.newest, 20+uint64(r.id)
		}
		w.replicas[0].state.oldest = 20
		x := w.watch("", "", 5)
		w.finish()
		var gone *statemachine.Compacted
		if !errors.As(x.ended, &gone) || gone.Oldest < 20 || gone.Oldest > 23 {
			t.Fatalf("seed %d: the watch ended with %v at %d", seed, x.ended, x.upto)
		}
		y := w.watch("", "", gone.Oldest)
		for _, r := range w.replicas {
			r.state.oldest = gone.Oldest
		}
		w.finish()
		if y.ended != nil {
			t.Fatal(y.ended)
		}
	}
}

// A watcher that takes nothing holds up only itself: the replicas keep no more than a window for it, and it is told the
// rest when it goes on.
func TestWatch_ASlowWatcherIsBoundedAndMissesNothing(t *testing.T) {
	w := newWorld(t, 4, 3)
	x := w.watch("", "", 1)
	slow := w.watches
	w.watches = nil // nobody takes
	for range 200 {
		w.truth.newest++
		w.truth.changes = append(w.truth.changes, statemachine.Change{Revision: w.truth.newest, Key: []byte("a"), Event: bytes.Repeat([]byte{byte(w.truth.newest)}, 64<<10)})
	}
	for _, r := range w.replicas {
		r.state.newest = w.truth.newest
	}
	for range 300 {
		w.round()
	}
	if _, told := w.replicas[0].hub.Counts(); told > 60 {
		t.Errorf("%d changes of 64 KiB were told to a watcher that takes nothing", told)
	}
	w.watches = slow
	w.finish()
	if len(x.seen) < 200 {
		t.Errorf("%d of 200 changes were seen", len(x.seen))
	}
}
