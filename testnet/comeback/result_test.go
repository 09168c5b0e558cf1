package comeback

import (
	"strings"
	"testing"
	"time"

	"tagma/internal/node"
	"tagma/testnet/report"
)

func TestJudge_StarvationExcusesTimesAndNothingElse(t *testing.T) {
	for name, c := range map[string]struct {
		add     func(*Case)
		starved string
		want    string
	}{
		"in time":            {func(c *Case) { c.took("x", time.Second, 2*time.Second) }, "", report.Pass},
		"no bound":           {func(c *Case) { c.took("x", time.Hour, 0) }, "", report.Pass},
		"late":               {func(c *Case) { c.took("x", 3*time.Second, 2*time.Second) }, "", report.Fail},
		"late and starved":   {func(c *Case) { c.took("x", 3*time.Second, 2*time.Second) }, "starved", report.Inconclusive},
		"bytes":              {func(c *Case) { c.atMost("x", 2, 1.3, "") }, "starved", report.Fail},
		"few enough":         {func(c *Case) { c.atMost("x", 1.3, 1.3, "") }, "", report.Pass},
		"failed":             {func(c *Case) { c.Failure = "why" }, "starved", report.Fail},
		"too late":           {func(c *Case) { c.Failure, c.late = "why", true }, "", report.Fail},
		"too late, starved":  {func(c *Case) { c.Failure, c.late = "why", true }, "starved", report.Inconclusive},
		"late, and bytes":    {func(c *Case) { c.took("x", 3, 2); c.atMost("y", 2, 1, "") }, "starved", report.Fail},
		"bytes, and then ok": {func(c *Case) { c.atMost("y", 2, 1, ""); c.took("x", 1, 2) }, "", report.Fail},
	} {
		result := &Case{Starved: c.starved}
		c.add(result)
		if result.judge(); result.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, result.Verdict, c.want)
		}
	}
}

func TestJudge_TheRunIsAsGoodAsItsWorstCase(t *testing.T) {
	for _, c := range []struct {
		cases []string
		want  string
	}{
		{[]string{report.Pass, report.Pass}, report.Pass},
		{[]string{report.Inconclusive, report.Pass}, report.Inconclusive},
		{[]string{report.Fail, report.Inconclusive}, report.Fail},
		{[]string{report.Inconclusive, report.Fail, report.Pass}, report.Fail},
	} {
		d := &Document{}
		for _, verdict := range c.cases {
			d.Cases = append(d.Cases, &Case{Verdict: verdict})
		}
		if d.judge(); d.Verdict != c.want {
			t.Errorf("%v: %s, want %s", c.cases, d.Verdict, c.want)
		}
	}
}

func TestMarks_TwoDigestsForOneCheckpointAreTold(t *testing.T) {
	m := marks{}
	at := func(id int, seq uint64, digest string) (view, node.Report) {
		r := node.Report{Replica: id, StableCheckpoint: seq, StateDigest: digest}
		return view{id: r}, r
	}
	note := func(id int, seq uint64, digest string) (node.Report, error) {
		v, r := at(id, seq, digest)
		return r, m.note(v)
	}
	r, err := note(0, 32, "a")
	if err != nil || m.shared(0, r) {
		t.Errorf("nobody else named it: %v, %v", err, m.shared(0, r))
	}
	if _, err := note(1, 64, "b"); err != nil {
		t.Errorf("another checkpoint: %v", err)
	}
	if r, err := note(3, 32, "a"); err != nil || !m.shared(3, r) || !m.shared(0, r) {
		t.Errorf("both named it: %v", err)
	}
	if _, err := note(2, 0, "zero"); err != nil {
		t.Errorf("none is stable yet: %v", err)
	}
	if _, err := note(3, 64, "x"); err == nil || !strings.Contains(err.Error(), "checkpoint 64") {
		t.Errorf("another digest: %v", err)
	}
}

func TestHalfway_IsAboutEveryReplica(t *testing.T) {
	var good, fetching, silent node.Report
	fetching.Recovery = &node.Recovery{Phase: node.PhaseFetching}
	silent.Recovery = &node.Recovery{Phase: node.PhaseSilent}
	for name, c := range map[string]struct {
		last node.Report
		back bool
	}{"equal": {good, true}, "silent": {silent, true}, "fetching": {fetching, false}} {
		if why := halfway(view{0: good, 1: good, 2: good, 3: c.last}); (why == "") != c.back {
			t.Errorf("%s: %q", name, why)
		}
	}
	if halfway(view{0: good, 1: good, 2: good}) == "" {
		t.Error("one that does not answer is back")
	}
}
