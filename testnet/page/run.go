package page

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"tagma/internal/page"
	"tagma/internal/trace"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// run shows a scenario while it runs, and then its result.
type run struct {
	hub     *page.Hub
	s       *scenario.Scenario
	engine  string
	cluster sync.Map // under key 0: the *local.Cluster of a run with processes

	mu    sync.Mutex
	watch *watch // nil in a simulated run, and after the cluster has ended
	text  []byte // lines that wait until there are more of them
	now   int64  // the time of the last event of a simulated run
}

func newRun(s *scenario.Scenario, engine string) *run {
	h := trace.Header{Engine: engine, Replicas: s.Replicas, Seed: s.Seed, Name: s.Name}
	return &run{hub: page.NewHub(page.Header(h), keptBytes, keptFor), s: s, engine: engine}
}

// heard returns trace options with which the page gets the events as well.
func (r *run) heard(t play.Trace) play.Trace {
	t.Hear, t.Open = r.hear, r.open
	return t
}

// open begins to show a cluster of processes.
func (r *run) open(c *local.Cluster) (end func()) {
	w := newWatch(c, r.hub, trace.None, nil)
	r.mu.Lock()
	r.flush()
	r.watch = w
	r.mu.Unlock()
	r.cluster.Store(0, c)
	return func() {
		r.cluster.Delete(0)
		w.close()
		r.mu.Lock()
		r.watch = nil
		r.mu.Unlock()
	}
}

// hear handles an event of a simulated run, or an event about a process.
func (r *run) hear(e trace.Event) {
	line, err := json.Marshal(e)
	if err != nil {
		return
	}
	r.put(trace.Of(e).At, line)
}

// put adds a line.
func (r *run) put(at int64, line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watch != nil {
		r.watch.take(&page.Batch{Events: []page.Event{{At: at, Line: line}}})
		return
	}
	r.now = at
	if r.text = append(append(r.text, line...), '\n'); len(r.text) >= portion {
		r.flush()
	}
}

// flush gives the hub the lines that wait. The mutex is held.
func (r *run) flush() {
	r.hub.Put(r.text)
	r.text = nil
}

// frame adds a line that is not an event.
func (r *run) frame(f page.Frame) {
	if f.At = time.Now().UnixMicro(); r.engine == play.Sim {
		r.mu.Lock()
		f.At = r.now
		r.mu.Unlock()
	}
	line := f.Line()
	r.put(f.At, line[:len(line)-1])
}

// end shows the result of the run. No line follows it.
func (r *run) end(d *report.Document) {
	r.frame(page.Frame{Frame: "note", Text: "the verdict is " + d.Verdict})
	r.frame(page.Frame{Frame: "verdict", Document: d})
	r.mu.Lock()
	r.flush()
	r.mu.Unlock()
	r.hub.End()
}

func (r *run) page() *page.Page {
	p := r.s.Settings.WithDefaults()
	about := page.About{
		Mode: page.Run, Title: r.s.Name, Engine: r.engine, Machine: r.s.Machine, CheckpointInterval: p.CheckpointInterval, Window: p.LogWindow,
		ViewTimeoutMillis: r.s.ViewTimeout().Milliseconds(),
	}
	for i := range r.s.Workload.Clients {
		about.Clients = append(about.Clients, fmt.Sprintf("c%d", i))
	}
	about = about.Sized(r.s.Replicas)
	return &page.Page{About: func() page.About { return about }, Stream: r.hub.Stream, Why: r.why}
}

func (r *run) why(ctx context.Context) (any, error) {
	c, runs := r.cluster.Load(0)
	if !runs {
		return nil, page.Refusef(404, "none", "no processes run now; only they can be asked why")
	}
	return why(ctx, c.(*local.Cluster))
}

// show passes everything that a run shows to the page as well.
type show struct {
	play.Show
	run *run
}

// Phase implements play.Show.
func (s show) Phase(name, what string) {
	s.run.frame(page.Frame{Frame: "note", Text: name + ": " + what})
	s.Show.Phase(name, what)
}

// Happened implements play.Show. It does nothing for a fault, because a fault is already an event.
func (s show) Happened(h play.Happening) {
	if h.Kind != play.Fired {
		s.run.frame(page.Frame{Frame: "note", Text: h.What})
	}
	s.Show.Happened(h)
}

// Run shows a scenario that is about to run, and prints the address of the page. It returns the trace options with which
// the scenario must run.
func (u *UI) Run(w io.Writer, s *scenario.Scenario, engine string, t play.Trace) play.Trace {
	if u == nil {
		return t
	}
	u.run = newRun(s, engine)
	u.serve(u.run.page())
	u.server.Say(w)
	return u.run.heard(t)
}

// Around returns a play.Show that also shows on the page what the run reports.
func (u *UI) Around(next play.Show) play.Show {
	if u == nil || u.run == nil {
		return next
	}
	return show{next, u.run}
}

// Stay keeps the page with the run's result open until the context ends.
func (u *UI) Stay(ctx context.Context, w io.Writer, d *report.Document) {
	if u == nil || u.run == nil {
		return
	}
	u.run.end(d)
	_, _ = fmt.Fprintf(w, "the page goes on until Ctrl-C: %s\n", u.server.Address())
	<-ctx.Done()
}
