package explore

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"tagma/internal/rules"
	"tagma/pbft/wire"
)

// Document is the result of a search, as --json prints it. Fields may be added, none may change.
type Document struct {
	Engine  string  `json:"engine"`        // explore
	Verdict string  `json:"verdict"`       // pass, fail, or incomplete: nothing was found, but not all states were visited
	Why     string  `json:"why,omitempty"` // why not all was seen
	Bounds  Options `json:"bounds"`
	Runs    []Run   `json:"runs"`
	States  int     `json:"states"`
	Seconds float64 `json:"seconds"`
}

// Run is one search: one replica is Byzantine.
type Run struct {
	Byzantine   int      `json:"byzantine"` // the Byzantine replica; -2: nobody
	Amnesiac    int      `json:"amnesiac"`  // who may forget; -2: nobody, or each
	Complete    bool     `json:"complete"`  // every state within the bounds was visited
	States      int      `json:"states"`
	Transitions int      `json:"transitions"` // moves that changed something, those to known states included
	Depth       int      `json:"depth"`       // moves to the farthest state
	Local       int      `json:"local_states"`
	Messages    int      `json:"messages"`
	Fair        int      `json:"fair_continuations"` // states from which a fair continuation was played
	FairLongest int64    `json:"fair_longest_ms"`    // the longest virtual time until everything was executed everywhere
	ExtraViews  uint64   `json:"fair_extra_views"`   // the most views that a fair continuation took
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

// Search makes the searches that the options ask for, several at a time. It passes the result of each to tell, in order.
// After a search that finds something, the remaining searches are stopped.
func Search(ctx context.Context, o Options, tell func(Run)) Document {
	d := Document{Engine: "explore", Verdict: Pass, Runs: []Run{}, Bounds: o}
	began := time.Now()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, result := range startAll(inner, o) {
		r := <-result
		if d.Verdict == Fail {
			continue // this search was stopped; the loop only waits for its end
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
	if d.Seconds = time.Since(began).Seconds(); d.Verdict == Incomplete {
		d.Why = fmt.Sprintf("raise --max-states (now %d) or lower the bounds", o.MaxStates)
		if ctx.Err() != nil {
			d.Why = "the search was interrupted"
		}
	}
	return d
}

// startAll begins all searches, as many at a time as there are processors. They share no data, so each finds what it
// would find alone.
func startAll(ctx context.Context, o Options) []chan Run {
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
		Amnesiac: byzantineOf(s.cast.amnesiac), Byzantine: byzantineOf(s.a.byzantine), Complete: complete,
		States: len(s.states), Transitions: s.transitions, Depth: s.depth,
		Messages: len(s.a.letters) - 1, Fair: s.fair, FairLongest: (time.Duration(s.worst.rounds) * fairStep).Milliseconds(),
		ExtraViews: uint64(s.worst.views),
	}
	for _, ls := range s.locals {
		r.Local += len(ls.all)
	}
	if found != nil {
		last := int32(len(s.states) - 1)
		r.Finding = &Finding{What: found.Error(), Story: s.story(last), Replay: s.replay(last)}
	}
	r.Seconds = time.Since(began).Seconds()
	return r
}

// Heading says what is about to be searched.
func Heading(o Options) string {
	text := fmt.Sprintf("views 0–%d, %d sequence number(s), %d crash(es)", o.Views-1, o.Slots, o.Crashes)
	if o.Above {
		text = strings.Replace(text, "sequence number(s)", "sequence number(s) above R", 1)
	}
	if o.Amnesia > 0 {
		text += fmt.Sprintf(", %d time(s) a replica forgets everything", o.Amnesia)
	}
	if o.Byzantine == Nobody {
		if o.Crash {
			text += ", the crash-fault mode"
		}
		return text + fmt.Sprintf(", all %d replicas correct\n", o.Replicas)
	}
	return text + fmt.Sprintf(", one Byzantine replica of %d\n", o.Replicas)
}

// Line sums a run up in one line.
func (r Run) Line() string {
	end := "exhausted"
	switch {
	case r.Finding != nil:
		end = "FOUND"
	case !r.Complete:
		end = "given up"
	}
	return fmt.Sprintf("%s: %s after %d states, %d transitions, depth %d; %d fair continuations, the longest %.1f s and %d views; %.1f s\n",
		r.who(), end, r.States, r.Transitions, r.Depth, r.Fair, float64(r.FairLongest)/1000, r.ExtraViews, r.Seconds)
}

// who returns a text that names the Byzantine replica of a search and the one that may forget.
func (r Run) who() string {
	text := "all correct"
	if r.Byzantine != Nobody {
		text = fmt.Sprintf("r%d Byzantine", r.Byzantine)
	}
	if r.Amnesiac != Nobody {
		text += fmt.Sprintf(", r%d may forget", r.Amnesiac)
	}
	return text
}

// byzantineOf converts a replica to its number in options and results, and nobody to Nobody.
func byzantineOf(id wire.ReplicaID) int {
	if id == nobody {
		return Nobody
	}
	return int(id)
}

// Summary returns the verdict, and the steps that lead to what was found.
func (d Document) Summary() string {
	var b strings.Builder
	for _, r := range d.Runs {
		if r.Finding != nil {
			b.WriteString("\n" + r.Finding.Text())
			fmt.Fprintf(&b, "again: tagma-testnet explore%s --replay %s\n", d.Bounds.flags(), r.Finding.Replay)
		}
	}
	switch d.Verdict {
	case Pass:
		fmt.Fprintf(&b, "pass: all %d states seen in %.1f s, nothing found\n", d.States, d.Seconds)
	case Incomplete:
		fmt.Fprintf(&b, "incomplete: nothing found in %d states, but not all were seen; %s\n", d.States, d.Why)
	default:
		fmt.Fprintf(&b, "fail: after %d states and %.1f s\n", d.States, d.Seconds)
	}
	return b.String()
}

// flags returns the flags of the command that a replay needs.
func (b Options) flags() string {
	text := fmt.Sprintf(" --views %d --slots %d --crashes %d", b.Views, b.Slots, b.Crashes)
	if b.Amnesia > 0 {
		text += fmt.Sprintf(" --amnesia %d", b.Amnesia)
	}
	if b.Above {
		text += " --above"
	}
	if b.Exact {
		text += " --exact"
	}
	return text
}

// Text describes a finding in lines.
func (f Finding) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s", f.What, rules.Explain(f.What))
	for i, line := range f.Story {
		fmt.Fprintf(&b, "%3d  %s\n", i, line)
	}
	return b.String()
}
