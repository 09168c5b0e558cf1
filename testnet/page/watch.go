package page

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tagma/client/status"
	"tagma/internal/page"
	"tagma/internal/trace"
	"tagma/testnet/local"
)

// Bounds of what is kept, for pages that are opened later and for going back in time on the page.
const (
	keptBytes = 192 << 20
	keptFor   = 5 * time.Minute
)

// How often each replica is asked for its events, how many events it may return at once, and how long a line waits
// because older lines may still arrive.
const (
	gatherEvery = 100 * time.Millisecond
	gatherMost  = 1 << 12
	settle      = 300 * time.Millisecond
)

// mostLines is how many lines are shown in a second. If there are more, only the events of some slots are shown.
const mostLines = 10_000

// watch sends everything that happens in a cluster of processes to a hub. That is the events of its replicas, the events
// that only this program knows, and once a second the state of replicas and clients.
type watch struct {
	cluster *local.Cluster
	hub     *page.Hub
	taps    []*trace.Tap // by replica: makes the events about its process
	own     *trace.Tap   // makes the events about what is done to the cluster
	beside  page.Gatherer
	every   atomic.Uint64
	follow  int              // a client whose requests are shown whatever the load is; -1: none
	load    func() page.Load // returns what the clients have done; nil: there are no clients

	mu      sync.Mutex
	waiting []page.Event
	lines   uint64 // how many events there were since this was last read, shown or not
	left    uint64 // how many of them are not shown

	end     context.CancelFunc
	running sync.WaitGroup
}

// newWatch begins to watch.
func newWatch(c *local.Cluster, hub *page.Hub, follow int, load func() page.Load) *watch {
	w := &watch{cluster: c, hub: hub, follow: follow, load: load}
	w.beside.Follow(follow)
	w.every.Store(1)
	cfg, _ := c.File.Config(0) // the cluster runs with it
	now := func() int64 { return time.Now().UnixMicro() }
	for id := range c.File.Replicas {
		w.taps = append(w.taps, trace.NewTap(id, cfg.Quorum(), now, w.beside.Put))
	}
	w.own = trace.NewTap(trace.None, cfg.Quorum(), now, w.beside.Put)
	ctx, end := context.WithCancel(context.Background())
	w.end = end
	for id := range c.File.Replicas {
		w.running.Go(func() { w.gather(ctx, id) })
	}
	w.running.Go(func() { w.pass(ctx) })
	return w
}

// close ends the watch. It first shows the events that were collected.
func (w *watch) close() {
	w.end()
	w.running.Wait()
	w.fetch()
	w.flush(time.Now().Add(settle))
}

// gather fetches the events of one replica repeatedly.
func (w *watch) gather(ctx context.Context, id int) {
	for {
		b, _, err := w.cluster.Gather(ctx, id, local.Gathering{Every: w.every.Load(), Most: gatherMost, Follow: w.follow})
		if err == nil && b != nil {
			w.take(b)
			if len(b.Events) >= gatherMost {
				continue
			}
		}
		select {
		case <-time.After(gatherEvery):
		case <-ctx.Done():
			return
		}
	}
}

func (w *watch) take(b *page.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = append(w.waiting, b.Events...)
	w.lines += uint64(len(b.Events)) + b.LeftOut
	w.left += b.LeftOut
}

// frame adds a line that this program makes itself.
func (w *watch) frame(f page.Frame) {
	f.At = time.Now().UnixMicro()
	line := f.Line()
	w.take(&page.Batch{Events: []page.Event{{At: f.At, Line: json.RawMessage(line[:len(line)-1])}}})
}

// fetch collects the events that this program has made.
func (w *watch) fetch() {
	w.beside.Every(w.every.Load())
	b := w.beside.Take(gatherMost)
	w.take(&b)
}

// pass gives lines to the hub, in order, and once a second the state of replicas and clients.
func (w *watch) pass(ctx context.Context) {
	ticker := time.NewTicker(gatherEvery)
	defer ticker.Stop()
	told := time.Now()
	for {
		select {
		case now := <-ticker.C:
			w.fetch()
			if now.Sub(told) >= time.Second {
				w.tell(now.Sub(told))
				told = now
			}
			w.flush(now)
		case <-ctx.Done():
			return
		}
	}
}

// flush shows the lines that are so old that no older line can arrive any more.
func (w *watch) flush(now time.Time) {
	until := now.Add(-settle).UnixMicro()
	w.mu.Lock()
	slices.SortStableFunc(w.waiting, func(a, b page.Event) int { return cmp.Compare(a.At, b.At) })
	n, _ := slices.BinarySearchFunc(w.waiting, until, func(e page.Event, until int64) int { return cmp.Compare(e.At, until) })
	var text []byte
	for _, e := range w.waiting[:n] {
		text = append(append(text, e.Line...), '\n')
	}
	w.waiting = slices.Delete(w.waiting, 0, n)
	w.mu.Unlock()
	w.hub.Put(text)
}

// tell shows the state of replicas and clients, and whether all events are shown.
func (w *watch) tell(since time.Duration) {
	reports := make([]*status.Report, len(w.cluster.File.Replicas))
	for id := range reports {
		if r, asked, runs := w.cluster.Report(id); runs && !asked.IsZero() {
			reports[id] = &r
		}
	}
	w.frame(page.Frame{Frame: "reports", Reports: reports})
	if w.load != nil {
		w.frame(page.Frame{Frame: "load", Load: new(w.load())})
	}
	w.mu.Lock()
	lines, left := w.lines, w.left
	w.lines, w.left = 0, 0
	w.mu.Unlock()
	was := w.every.Load()
	every := page.Sampled(was, float64(lines)/since.Seconds(), mostLines)
	w.every.Store(every)
	if every != was || left > 0 {
		w.frame(page.Frame{Frame: "sampling", Sampling: &page.Sampling{Every: every, LeftOut: left}})
	}
}

// died records the end of a process that was not told to end.
func (w *watch) died(d local.Death) {
	w.taps[d.Replica].Emit(&trace.Process{Step: trace.Crashed, Why: fmt.Sprintf("%s, and nobody had asked for it: %s", d.How, d.Last)})
}
