package demo

import (
	"context"
	"slices"
	"sync"
	"time"

	"tagma/internal/node"
	"tagma/pbft"
	"tagma/testnet/check"
	"tagma/testnet/local"
)

// watcher looks at the replicas while the demonstration runs: their reports, their journals, their deaths.
type watcher struct {
	cluster  *local.Cluster
	observer *local.Observer
	correct  []int
	show     Progress

	mu        sync.Mutex
	latest    map[int]node.Report // the last report of each
	rss       map[int]int64       // the most seen
	peak      map[int]int64       // the largest journal seen
	convicted span                // when the liar was convicted
	journals  *check.Journals
	unread    error // of the last look at a correct replica's journal
	dead      []local.Death
}

// span is as much as is known of a moment: it was after one look and before the next.
type span struct{ after, before time.Time }

func newWatcher(c *local.Cluster, o *local.Observer, cfg *pbft.Config, show Progress) *watcher {
	w := &watcher{
		cluster: c, observer: o, show: show, latest: map[int]node.Report{}, rss: map[int]int64{}, peak: map[int]int64{},
		journals: check.NewJournals(cfg),
	}
	for id := range c.File.Replicas {
		if !c.Malicious(id) {
			w.correct = append(w.correct, id)
		}
	}
	return w
}

const (
	reportsEvery  = 100 * time.Millisecond
	journalsEvery = 500 * time.Millisecond
)

// run looks again and again until ctx ends.
func (w *watcher) run(ctx context.Context) {
	reports, journals := time.NewTicker(reportsEvery), time.NewTicker(journalsEvery)
	defer reports.Stop()
	defer journals.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-w.cluster.Deaths():
			w.mourn(d)
		case <-reports.C:
			w.ask(ctx)
		case <-journals.C:
			// A journal of a running replica may change under the reader: what counts is the look at its end.
			w.readJournals()
		}
	}
}

func (w *watcher) mourn(d local.Death) {
	w.show.Note(d.String() + ", not by the demo: it counts as faulty from here on")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = append(w.dead, d)
}

func (w *watcher) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, reportsEvery)
	defer cancel()
	asked := time.Now()
	w.take(asked, w.observer.Ask(ctx, w.cluster.Running()))
}

func (w *watcher) take(asked time.Time, reports map[int]node.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, r := range reports {
		w.latest[id] = r
		w.rss[id] = max(w.rss[id], r.ResidentBytes)
		w.peak[id] = max(w.peak[id], r.JournalBytes)
	}
	if !w.convicted.before.IsZero() {
		return
	}
	unaware := 0
	for _, id := range w.correct {
		r, answered := reports[id]
		if slices.ContainsFunc(r.Convicted, func(c node.ConvictedEntry) bool { return c.Replica == liar }) {
			w.convicted.before = time.Now()
			return
		}
		if answered {
			unaware++
		}
	}
	if unaware == len(w.correct) {
		w.convicted.after = asked
	}
}

// conviction is when a correct replica had the first proof against the liar, if one has.
func (w *watcher) conviction() (at span, proven bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.convicted, !w.convicted.before.IsZero()
}

// view is the highest view that correct replicas reported last.
func (w *watcher) view() (view uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.correct {
		view = max(view, w.latest[id].View)
	}
	return view
}

// alive lists the correct replicas that nobody killed behind our back.
func (w *watcher) alive() []int { return w.withoutDead(w.correct) }

// needed lists the replicas that the course goes on with: the liar too, whom it takes for a quorum.
func (w *watcher) needed() []int { return w.withoutDead(w.all()) }

func (w *watcher) withoutDead(ids []int) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ids), func(id int) bool {
		return slices.ContainsFunc(w.dead, func(d local.Death) bool { return d.Replica == id })
	})
}

// all lists every replica.
func (w *watcher) all() []int {
	ids := make([]int, len(w.cluster.File.Replicas))
	for i := range ids {
		ids[i] = i
	}
	return ids
}

// last is the last report of a replica, the most memory it was seen to use, and its largest journal.
func (w *watcher) last(id int) (r node.Report, rss, journal int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest[id], w.rss[id], w.peak[id]
}

func (w *watcher) deaths() []local.Death {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dead)
}
