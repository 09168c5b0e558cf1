package observe

import (
	"context"
	"slices"
	"sync"
	"time"

	"tagma/crypto"
	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/local"
)

// Watcher looks at the replicas of a cluster while it runs: their reports, their journals, their deaths. Its methods may
// be called from any goroutine.
type Watcher struct {
	cluster  *local.Cluster
	observer *local.Observer
	died     func(local.Death)

	mu        sync.Mutex
	correct   []int
	latest    map[int]node.Report // the last report of each
	answered  map[int]time.Time   // when it came
	rss       map[int]int64       // the most seen
	peak      map[int]int64       // the largest journal seen
	convicted map[int]Span        // by replica: when it was
	journals  *check.Journals
	unread    error // of the last look at a correct replica's journal
	dead      []local.Death
}

// Span is as much as is known of a moment: it was after one look and before the next.
type Span struct{ After, Before time.Time }

// Watch returns a watcher of a cluster. Correct are the replicas whose reports and journals count; died is called for every
// death that nobody asked for.
func Watch(c *local.Cluster, o *local.Observer, cfg *wire.Config, correct []int, died func(local.Death)) *Watcher {
	journals, verifier := check.NewJournals(cfg), crypto.NewVerifier(0, nil)
	journals.VerifyWith(func(claims []wire.Claim) bool { return hold(verifier, claims) }, verifyEvery)
	return &Watcher{
		cluster: c, observer: o, died: died, correct: slices.Clone(correct), latest: map[int]node.Report{},
		answered: map[int]time.Time{}, rss: map[int]int64{}, peak: map[int]int64{}, convicted: map[int]Span{},
		journals: journals,
	}
}

const (
	// ReportsEvery is how often replicas are asked.
	ReportsEvery  = 100 * time.Millisecond
	journalsEvery = 500 * time.Millisecond
	verifyEvery   = 16 // certificates of the journals, of which one has its signatures verified again
	readingShare  = 20 // of the time, one part of so many may go into reading journals
)

// Run looks again and again until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	reports, journals := time.NewTicker(ReportsEvery), time.NewTimer(journalsEvery)
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
			began := time.Now()
			w.ReadJournals()
			journals.Reset(max(journalsEvery, readingShare*time.Since(began)))
		}
	}
}

func (w *Watcher) mourn(d local.Death) {
	w.mu.Lock()
	w.dead = append(w.dead, d)
	w.mu.Unlock()
	w.died(d)
}

func (w *Watcher) ask(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, ReportsEvery)
	defer cancel()
	asked := time.Now()
	w.Take(asked, w.observer.Ask(ctx, w.cluster.Running()))
}

// Take notes reports that were asked for at a moment.
func (w *Watcher) Take(asked time.Time, reports map[int]node.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for id, r := range reports {
		w.latest[id], w.answered[id] = r, now
		w.rss[id] = max(w.rss[id], r.ResidentBytes)
		w.peak[id] = max(w.peak[id], r.JournalBytes)
	}
	for suspect := range w.cluster.File.Replicas {
		w.convictions(suspect, asked, now, reports)
	}
}

// convictions narrows down when correct replicas first had proof against a suspect.
func (w *Watcher) convictions(suspect int, asked, now time.Time, reports map[int]node.Report) {
	span := w.convicted[suspect]
	if !span.Before.IsZero() {
		return
	}
	unaware := 0
	for _, id := range w.correct {
		r, answered := reports[id]
		if slices.ContainsFunc(r.Convicted, func(c node.ConvictedEntry) bool { return c.Replica == suspect }) {
			span.Before = now
		} else if answered {
			unaware++
		}
	}
	if span.Before.IsZero() && unaware == len(w.correct) {
		span.After = asked
	}
	w.convicted[suspect] = span
}

// Conviction is when a correct replica had the first proof against another one, if one has.
func (w *Watcher) Conviction(of int) (at Span, proven bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at = w.convicted[of]
	return at, !at.Before.IsZero()
}

// View is the highest view that correct replicas reported last.
func (w *Watcher) View() (view uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range w.correct {
		view = max(view, w.latest[id].View)
	}
	return view
}

// Correct lists the replicas that count as correct.
func (w *Watcher) Correct() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.correct)
}

// Distrust makes a replica count as correct no more: its journal is not read again.
func (w *Watcher) Distrust(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.correct = slices.DeleteFunc(w.correct, func(c int) bool { return c == id })
}

// Alive is ids without those that died and nobody asked them to.
func (w *Watcher) Alive(ids []int) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ids), func(id int) bool {
		return slices.ContainsFunc(w.dead, func(d local.Death) bool { return d.Replica == id })
	})
}

// All lists every replica.
func (w *Watcher) All() []int {
	ids := make([]int, len(w.cluster.File.Replicas))
	for i := range ids {
		ids[i] = i
	}
	return ids
}

// Last is the last report of a replica, how long ago it came, the most memory it was seen to use, and its largest
// journal.
func (w *Watcher) Last(id int) (r node.Report, age time.Duration, rss, journal int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest[id], time.Since(w.answered[id]), w.rss[id], w.peak[id]
}

// Deaths are those that nobody asked for, so far.
func (w *Watcher) Deaths() []local.Death {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dead)
}
