package play

import (
	"testing"
	"time"

	"tagma/testnet/links"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

const ms = time.Millisecond

func newCourse(t *testing.T) *course {
	t.Helper()
	s, err := scenario.Parse("test.toml", []byte("name = \"test\"\n[settings]\nview_timeout = \"2s\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &course{s: s, c: nobody{}, links: links.New(s.Replicas, s.Network, nil)}
}

func TestExcuse_OnlyATimedExpectationOnAStarvedMachine(t *testing.T) {
	for name, c := range map[string]struct {
		key     string
		waited  time.Duration
		excused bool
	}{
		"views on a quiet machine":  {"max_view_changes", 10 * ms, false},
		"views on a starved one":    {"max_view_changes", time.Second, true},
		"safety on a starved one":   {"safe", time.Second, false},
		"evidence on a starved one": {"evidence", time.Second, false},
	} {
		e := report.Expectation{Key: c.key, Want: 0, Got: 3}
		if newCourse(t).excuse(&e, &report.Document{}, c.waited); e.Held || e.Want != 0 || (e.Excused != "") != c.excused {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A ratio that holds of one run without faults and not of their mean shows that the machine changed, and nothing else.
func TestExcuse_ARatioOfRunsThatDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		slower, faster float64
		excused        bool
	}{
		"both alike":        {1000, 1000, false},
		"one a little less": {940, 1060, true},
		"one is not enough": {960, 1040, false},
	} {
		r := newCourse(t)
		r.slower, r.faster = c.slower, c.faster
		e := report.Expectation{Key: "min_throughput_ratio", Want: 0.9, Got: 0.85}
		r.excuse(&e, &report.Document{Throughput: report.Throughput{Ratio: 0.85}}, 0)
		if e.Held || (e.Excused != "") != c.excused {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// What did not hold stays so: the machine is told as the reason, and only where views are all that is wrong (I15).
func TestSettledAfter_ManyViewsAreExcusedAndNothingElse(t *testing.T) {
	acks := []Ack{{At: time.Second, Took: ms}}
	for name, c := range map[string]struct {
		waited   time.Duration
		caughtUp time.Duration
		excused  bool
	}{
		"a quiet machine":           {10 * ms, 0, false},
		"a starved one":             {time.Second, 0, true},
		"nobody caught up, starved": {time.Second, -1, false},
	} {
		r := newCourse(t)
		r.caughtUp = c.caughtUp
		got := r.settledAfter(&report.Document{FinalView: 100}, c.waited, acks)
		if got.Held || (got.Excused != "") != c.excused {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestRecovered_CountsOnlyWhatWasSubmittedAfterTheFault(t *testing.T) {
	acks := []Ack{{At: 10 * ms, Took: ms}, {At: 30 * ms, Took: 25 * ms}, {At: 50 * ms, Took: 20 * ms}}
	if at, ok := recovered(acks, 20*ms); !ok || at != 50*ms {
		t.Errorf("%v, %v; what was under way at 20 ms was acknowledged at 30 ms and shows nothing", at, ok)
	}
	if _, ok := recovered(acks, 31*ms); ok {
		t.Error("nothing was submitted since")
	}
}

// Where there is no run without faults, what came before the first fault is what there is to compare with.
func TestTellWork_ComparesWithThePartBeforeTheFault(t *testing.T) {
	r := newCourse(t)
	r.lasted = time.Second
	d := &report.Document{Faults: []report.Fault{{Fired: true, Calm: true}, {Fired: true, AtMS: 500}}}
	r.tellWork(d, &Work{Acks: []Ack{{At: 200 * ms}, {At: 400 * ms}, {At: 900 * ms}}})
	if got := d.Throughput; got.OpsPerSecond != 3 || got.Baseline != 4 || got.Ratio != 0.75 || got.Apart {
		t.Errorf("%+v", got)
	}
}
