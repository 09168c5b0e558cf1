package explore

import (
	"context"
	"runtime"
	"time"
)

// Document is the result of a search, as --json prints it. Fields may be added, none may change.
type Document struct {
	Engine  string  `json:"engine"`  // explore
	Verdict string  `json:"verdict"` // pass, fail, or incomplete: nothing was found, and not all was seen
	Bounds  Options `json:"bounds"`
	Runs    []Run   `json:"runs"`
	States  int     `json:"states"`
	Seconds float64 `json:"seconds"`
}

// Run is one search: one replica is Byzantine.
type Run struct {
	Byzantine   int      `json:"byzantine"` // -2: nobody
	Amnesiac    int      `json:"amnesiac"`  // who may forget; -2: nobody, or each
	Complete    bool     `json:"complete"`  // every state within the bounds was visited
	States      int      `json:"states"`
	Transitions int      `json:"transitions"` // moves that changed something, also to states known before
	Depth       int      `json:"depth"`       // moves to the farthest state
	Local       int      `json:"local_states"`
	Messages    int      `json:"messages"`
	Fair        int      `json:"fair_continuations"` // states that were played on
	FairLongest int64    `json:"fair_longest_ms"`    // virtual time until everything was executed everywhere
	ExtraViews  uint64   `json:"fair_extra_views"`   // most views that took
	Seconds     float64  `json:"seconds"`
	Finding     *Finding `json:"finding"`
}

// Finding is a violation and how to see it again.
type Finding struct {
	What   string   `json:"what"`
	Story  []string `json:"story"`
	Replay string   `json:"replay"` // the argument of --replay, with the same bounds
}

// Verdicts.
const (
	Pass       = "pass"
	Fail       = "fail"
	Incomplete = "incomplete"
)

// Search makes one search for each replica that can be Byzantine, several at a time, and tells about each in order as it
// ends. After one that finds something, the others are given up.
func Search(ctx context.Context, o Options, tell func(Run)) Document {
	d := Document{Engine: "explore", Verdict: Pass, Runs: []Run{}, Bounds: o}
	began := time.Now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, result := range start(ctx, o) {
		r := <-result
		if d.Verdict == Fail {
			continue // waited for, and of no interest
		}
		tell(r)
		d.Runs = append(d.Runs, r)
		d.States += r.States
		switch {
		case r.Finding != nil:
			d.Verdict = Fail
			cancel()
		case !r.Complete:
			d.Verdict = Incomplete
		}
	}
	d.Seconds = time.Since(began).Seconds()
	return d
}

// start begins all searches, as many at once as there are processors. They share nothing, so each finds what it would find
// alone.
func start(ctx context.Context, o Options) []chan Run {
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	var results []chan Run
	for _, c := range o.casts() {
		result := make(chan Run, 1)
		results = append(results, result)
		go func() {
			room <- struct{}{}
			result <- newSearch(o, c).report(ctx)
			<-room
		}()
	}
	return results
}

// report runs the search and sums it up.
func (s *search) report(ctx context.Context) Run {
	began := time.Now()
	complete, found := s.run(ctx)
	r := Run{
		Amnesiac: byzantineOf(s.cast.amnesiac), Byzantine: byzantineOf(s.a.byzantine), Complete: complete, States: len(s.states), Transitions: s.transitions, Depth: s.depth,
		Messages: len(s.a.letters), Fair: s.fair, FairLongest: (time.Duration(s.worst.rounds) * fairStep).Milliseconds(),
		ExtraViews: uint64(s.worst.views),
	}
	for _, ls := range s.locals {
		r.Local += len(ls.all)
	}
	if found != nil {
		r.Finding = &Finding{What: found.err.Error(), Story: s.story(found.at), Replay: s.replay(found.at)}
	}
	r.Seconds = time.Since(began).Seconds()
	return r
}
