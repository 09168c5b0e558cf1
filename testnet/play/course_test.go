package play

import (
	"context"
	"testing"
	"time"

	"tagma/internal/trace"
	"tagma/testnet/check"
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

// clockwork is a cluster on which time passes in steps, and one operation is acknowledged in each: of the first so many.
type clockwork struct {
	nobody
	now    time.Duration
	acks   []Ack
	most   int
	waited time.Duration
	did    []time.Duration // when events were done
	strike time.Duration   // when the moment comes for which an event waits; 0: none does
}

func (c *clockwork) Now() time.Duration { return c.now }

func (c *clockwork) Pass(_ context.Context, until time.Duration) error {
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

func (c *clockwork) Touched(any) bool { return c.now >= c.strike }

func (c *clockwork) Work() Work {
	n := len(c.acks)
	return Work{Operations: report.Operations{Submitted: n, Acknowledged: n}, Acks: c.acks, Made: n >= 10}
}

func (c *clockwork) Replicas() []Replica {
	return []Replica{{Replica: report.Replica{Correct: true, Role: "correct"}, Up: true, Counts: true}}
}

func (c *clockwork) Remains() (*Remains, error) {
	return &Remains{Replicas: c.Replicas(), Waited: c.waited, Invariants: []check.Result{{ID: "I1", Held: true, Checked: 1}}}, nil
}

func (c *clockwork) Name() string                           { return Processes }
func (c *clockwork) Steady() bool                           { return false }
func (c *clockwork) Stall(*scenario.Scenario) time.Duration { return time.Second }

func (c *clockwork) Start(context.Context, *scenario.Scenario, string, Trace, Show) (Cluster, error) {
	return c, nil
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

// An event that waits for a moment within a replica is done when that comes, and what undoes it follows as much later.
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

// A run that shows nothing about the protocol is no pass, whoever looks at it: not through what others add either.
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
