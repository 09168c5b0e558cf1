package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/fact"
	"tagma/testnet/links"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// nobody is a cluster without replicas or clients.
type nobody struct{}

func (nobody) Begin()                                                {}
func (nobody) Load(context.Context)                                  {}
func (nobody) Now() time.Duration                                    { return 0 }
func (nobody) Pass(context.Context, time.Duration) error             { return nil }
func (nobody) Do(context.Context, *scenario.Event) (bool, error)     { return false, nil }
func (nobody) Command(context.Context, links.Command) error          { return nil }
func (nobody) Wake(context.Context, *scenario.Malicious, bool) error { return nil }
func (nobody) Say(context.Context, *scenario.Script) error           { return nil }
func (nobody) Ask(context.Context, *scenario.Request) error          { return nil }
func (nobody) Answers(*scenario.Request) map[wire.Outcome]int        { return nil }
func (nobody) Happened(fact.Fact) bool                               { return true }
func (nobody) Touched(any) bool                                      { return true }
func (nobody) Work() Work                                            { return Work{Made: true} }
func (nobody) Extend(bool, time.Duration)                            {}
func (nobody) Replicas() []Replica                                   { return nil }
func (nobody) EndWork(time.Duration)                                 {}
func (nobody) ReadBack(context.Context, Show) error                  { return nil }
func (nobody) Tap() *trace.Tap                                       { return nil }
func (nobody) Stop()                                                 {}
func (nobody) Remains() (*Remains, error)                            { return &Remains{}, nil }
func (nobody) Close()                                                {}

// clockwork is a cluster on which time passes in steps. In each of the first steps, as many as most says, one operation
// is acknowledged.
type clockwork struct {
	nobody
	now    time.Duration
	acks   []Ack
	most   int
	waited time.Duration
	did    []time.Duration // when events were done
	never  bool            // no fact ever happens
	strike time.Duration   // when the moment comes for which an event waits; 0: no event waits

	answers map[wire.Outcome]int // the answers to every request: for each outcome, how many replicas give it
	strange []Strange
	unclean error // why not all replicas stopped cleanly
	unready error // why the cluster could not start
}

func (c *clockwork) Now() time.Duration { return c.now }

func (c *clockwork) Pass(_ context.Context, until time.Duration) error {
	if c.now > time.Hour {
		return errors.New("it goes on for ever")
	}
	next := c.now + 10*ms
	if until > 0 {
		next = min(next, until)
	}
	if c.now = next; len(c.acks) < c.most {
		c.acks = append(c.acks, Ack{At: c.now, Took: 5 * ms})
	}
	return nil
}

func (c *clockwork) Do(context.Context, *scenario.Event) (later bool, err error) {
	c.did = append(c.did, c.now)
	return c.strike > 0 && len(c.did) == 1, nil
}

func (c *clockwork) Happened(fact.Fact) bool { return !c.never }

func (c *clockwork) Answers(*scenario.Request) map[wire.Outcome]int { return c.answers }

func (c *clockwork) Touched(any) bool { return c.now >= c.strike }

func (c *clockwork) Work() Work {
	n := len(c.acks)
	return Work{Operations: report.Operations{Submitted: n, Acknowledged: n}, Acks: c.acks, Made: n >= 10}
}

func (c *clockwork) Replicas() []Replica {
	return []Replica{{Replica: report.Replica{Correct: true, Role: "correct"}, Up: true, Counts: true}}
}

func (c *clockwork) Remains() (*Remains, error) {
	return &Remains{Replicas: c.Replicas(), Strain: Strain{Waited: c.waited}, Unclean: c.unclean, Strange: c.strange, Invariants: []check.Result{{ID: "I1", Held: true, Checked: 1}}}, nil
}

func (c *clockwork) Name() string                           { return Processes }
func (c *clockwork) Steady() bool                           { return false }
func (c *clockwork) Stall(*scenario.Scenario) time.Duration { return time.Second }

func (c *clockwork) Start(context.Context, *scenario.Scenario, string, Trace, Show) (Cluster, error) {
	return c, c.unready
}

func ran(t *testing.T, c *clockwork, text string) *report.Document {
	t.Helper()
	s, err := scenario.Parse("test.toml", []byte("name = \"test\"\n[workload]\noperations = 10\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Run(t.Context(), c, s, Options{}, Silent{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const killed = "[[event]]\nafter_operations = 3\ndo = \"kill\"\ntargets = [1]\nfor = \"25ms\"\n"

func TestCourse_DoesEverythingWhenItIsDueAndJudges(t *testing.T) {
	c := &clockwork{most: 20}
	d := ran(t, c, killed+"[expect]\nacknowledged = \"all\"\n")
	if d.Verdict != report.Pass || len(c.did) != 2 || c.did[0] != 30*ms || c.did[1] != 55*ms {
		t.Errorf("%s, done at %v: %+v", d.Verdict, c.did, d.Expect)
	}
	if f := d.Faults; len(f) != 1 || !f[0].Fired || f[0].AtMS != 30 || *f[0].RecoveredMS != 10 {
		t.Errorf("%+v", f)
	}
}

// An event may wait for a moment within a replica. It happens when that moment comes, and it ends after its duration.
func TestCourse_WhatWaitsForItsMomentIsUndoneAfterIt(t *testing.T) {
	c := &clockwork{most: 20, strike: 70 * ms}
	if d := ran(t, c, killed); d.Faults[0].AtMS != 70 || len(c.did) != 2 || c.did[1] != 95*ms {
		t.Errorf("%+v, done at %v", d.Faults, c.did)
	}
}

func TestCourse_AStallFailsAndNamesWhatNeverCame(t *testing.T) {
	d := ran(t, &clockwork{most: 2}, killed)
	for _, e := range d.Expect {
		if e.Key == "completed" && !e.Held && d.Verdict == report.Fail {
			return
		}
	}
	t.Errorf("%s: %+v", d.Verdict, d.Expect)
}

// After the workload, clients continue until every event has happened. A run in which a fact never happens still ends.
func TestCourse_AFactThatNeverComesEndsTheRun(t *testing.T) {
	c := &clockwork{most: 1 << 20, never: true}
	d := ran(t, c, "[[event]]\nwhen = \"replica 1 executed 999\"\ndo = \"kill\"\ntargets = [1]\n")
	i := slices.IndexFunc(d.Expect, func(e report.Expectation) bool { return e.Key == "completed" })
	if got := fmt.Sprint(d.Expect[i].Got); d.Verdict != report.Fail || !strings.Contains(got, "this never came: kill replica1 (line 4)") {
		t.Errorf("%s after %v: %s", d.Verdict, c.now, got)
	}
}

// A run that shows nothing about the protocol never passes, even if further expectations that were added hold.
func TestCourse_InconclusiveIsNeverAPass(t *testing.T) {
	c := &clockwork{most: 20, waited: time.Hour}
	if d := ran(t, c, killed+"[expect]\nmax_latency = \"1ms\"\n"); d.Verdict != report.Inconclusive {
		t.Errorf("%s: %+v", d.Verdict, d.Expect)
	}
	c = &clockwork{most: 20, waited: time.Hour}
	s, err := scenario.Parse("test.toml", []byte("name = \"test\"\n[workload]\noperations = 10\n"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Run(t.Context(), c, s, Options{Also: func(d *report.Document) { d.Expected("max_view_changes", 0, 1, false) }}, Silent{})
	if err != nil || d.Verdict != report.Inconclusive || len(d.Excuses()) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
}

// If the machine gave the processes too little time, a run is inconclusive, whatever did not happen. On an idle machine
// it fails.
func TestCourse_WhatStarvationExplainsIsInconclusive(t *testing.T) {
	const liar = "[[malicious]]\nreplica = 0\nbehaviour = \"equivocate\"\n"
	for name, c := range map[string]struct {
		clockwork
		text string
	}{
		"no operation is acknowledged any more": {clockwork{most: 2}, killed},
		"the attacker touches nothing":          {clockwork{most: 20, strike: time.Hour}, liar},
		"too few are acknowledged":              {clockwork{most: 9}, "[expect]\nacknowledged = \"all\"\n"},
		"no proof":                              {clockwork{most: 20}, liar + "[expect]\nevidence = [0]\n"},
		"an operation takes long":               {clockwork{most: 20}, killed + "[expect]\nmax_latency = \"1ms\"\n"},
		"one stops too late":                    {clockwork{most: 20, unclean: errors.Join(Late("it was killed"))}, killed},
	} {
		t.Run(name, func(t *testing.T) {
			quiet, starved := c.clockwork, c.clockwork
			starved.waited = time.Hour
			if d := ran(t, &quiet, c.text); d.Verdict != report.Fail {
				t.Errorf("on a quiet machine %s: %+v, %+v", d.Verdict, d.Expect, d.Invariants)
			}
			if d := ran(t, &starved, c.text); d.Verdict != report.Inconclusive {
				t.Errorf("on a starved one %s: %+v, %+v", d.Verdict, d.Expect, d.Invariants)
			}
		})
	}
}

// An answer counts if f+1 replicas gave it, as for a client. Lack of processor time may explain why no answer came, but
// never why a forbidden one came.
func TestCourse_AnswersAreJudged(t *testing.T) {
	const request = "[[request]]\nat = \"20ms\"\nclient = 8\nsession = 1\nnumber = 1\noperations = [\"put k a\"]\nanswer = "
	for name, c := range map[string]struct {
		answers         map[wire.Outcome]int
		wanted          string
		quiet, starving string
	}{
		"as it was to be":      {map[wire.Outcome]int{wire.OutcomeExecuted: 2}, `"executed"`, report.Pass, report.Pass},
		"as it may be":         {map[wire.Outcome]int{wire.OutcomeConflict: 2}, `["executed", "conflict"]`, report.Pass, report.Pass},
		"of too few":           {map[wire.Outcome]int{wire.OutcomeExecuted: 1}, `"executed"`, report.Fail, report.Inconclusive},
		"none":                 {nil, `"executed"`, report.Fail, report.Inconclusive},
		"none, as it is to be": {nil, `"nothing"`, report.Pass, report.Pass},
		"none must come":       {map[wire.Outcome]int{wire.OutcomeExecuted: 1}, `"nothing"`, report.Fail, report.Fail},
		"another one":          {map[wire.Outcome]int{wire.OutcomeExecuted: 4}, `"conflict"`, report.Fail, report.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			if d := ran(t, &clockwork{most: 20, answers: c.answers}, request+c.wanted+"\n"); d.Verdict != c.quiet {
				t.Errorf("on a quiet machine %s: %+v", d.Verdict, d.Expect)
			}
			if d := ran(t, &clockwork{most: 20, answers: c.answers, waited: time.Hour}, request+c.wanted+"\n"); d.Verdict != c.starving {
				t.Errorf("on a starved one %s: %+v", d.Verdict, d.Expect)
			}
		})
	}
}

// Lack of processor time may explain that something did not happen, but never that something forbidden happened.
func TestCourse_WhatStarvationDoesNotExplainFails(t *testing.T) {
	for name, c := range map[string]clockwork{
		"one does not stop cleanly":             {most: 20, unclean: errors.New("exit status 2")},
		"more have died than are masked":        {most: 2, strange: []Strange{{What: "replica 1 died"}, {What: "replica 2 died"}}},
		"one is late, and another stops rudely": {most: 20, unclean: errors.Join(Late("killed"), errors.New("exit status 2"))},
	} {
		c.waited = time.Hour
		if d := ran(t, &c, killed); d.Verdict != report.Fail {
			t.Errorf("%s: %s", name, d.Verdict)
		}
	}
}

// If a cluster cannot start because the machine is too busy, the run shows nothing. If it cannot start for another
// reason, that is an error.
func TestRun_AStartThatStarvationPreventsIsInconclusive(t *testing.T) {
	d := ran(t, &clockwork{unready: fmt.Errorf("start: %w", &StarvedError{Why: "starved", Err: Late("not ready")})}, killed)
	if d.Verdict != report.Inconclusive || !slices.Equal(d.Excuses(), []string{"starved"}) {
		t.Errorf("%+v", d)
	}
	s, err := scenario.Parse("test.toml", []byte("name = \"test\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), &clockwork{unready: errors.New("no port is free")}, s, Options{}, Silent{}); err == nil {
		t.Error("there is a report of a cluster that could not start")
	}
}
