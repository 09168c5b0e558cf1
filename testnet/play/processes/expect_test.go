package processes

import (
	"testing"
	"time"

	"tagma/testnet/observe"
	"tagma/testnet/report"
)

func TestExcuse_OnlyATimedExpectationOnAStarvedMachine(t *testing.T) {
	for name, c := range map[string]struct {
		key     string
		paused  time.Duration
		excused bool
	}{
		"views on a quiet machine":  {"max_view_changes", 10 * time.Millisecond, false},
		"views on a starved one":    {"max_view_changes", time.Second, true},
		"safety on a starved one":   {"safe", time.Second, false},
		"evidence on a starved one": {"evidence", time.Second, false},
	} {
		r := &run{s: parse(t, ""), paused: c.paused}
		e := report.Expectation{Key: c.key, Want: 0, Got: 3}
		if r.excuse(&e); e.Held || e.Want != 0 || (e.Excused != "") != c.excused {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A ratio that holds of one run without faults and not of their mean shows that the machine changed, and nothing else.
func TestExcuse_ARatioOfRunsThatDiffer(t *testing.T) {
	acks := make([]observe.Ack, 850)
	for name, c := range map[string]struct {
		slower, faster float64
		excused        bool
	}{
		"both alike":        {1000, 1000, false},
		"one a little less": {940, 1060, true},
		"one is not enough": {960, 1040, false},
	} {
		r := &run{s: parse(t, ""), lasted: time.Second, load: &load{acks: acks}, slower: c.slower, faster: c.faster}
		r.s.Expect.MinThroughputRatio = new(0.9)
		e := report.Expectation{Key: "min_throughput_ratio", Want: 0.9, Got: 0.85}
		if r.excuse(&e); e.Held || (e.Excused != "") != c.excused {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// What did not hold stays so: the machine is told as the reason, and only where views are all that is wrong (I15).
func TestSettledAfter_ManyViewsAreExcusedAndNothingElse(t *testing.T) {
	acks := []observe.Ack{{At: time.Second, Took: time.Millisecond}}
	for name, c := range map[string]struct {
		paused   time.Duration
		caughtUp time.Duration
		excused  bool
	}{
		"a quiet machine":           {10 * time.Millisecond, 0, false},
		"a starved one":             {time.Second, 0, true},
		"nobody caught up, starved": {time.Second, -1, false},
	} {
		r := &run{s: parse(t, ""), paused: c.paused, caughtUp: c.caughtUp, table: &timetable{}, load: &load{acks: acks}}
		if got := r.settledAfter(100); got.Held || (got.Excused != "") != c.excused {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
