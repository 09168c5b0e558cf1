package processes

import (
	"testing"
	"time"

	"tagma/testnet/play"
	"tagma/testnet/report"
)

func TestExcuse_OnlyATimedExpectationOnAStarvedMachine(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		paused time.Duration
		held   bool
	}{
		"views on a quiet machine":  {"max_view_changes", 10 * time.Millisecond, false},
		"views on a starved one":    {"max_view_changes", time.Second, true},
		"safety on a starved one":   {"safe", time.Second, false},
		"evidence on a starved one": {"evidence", time.Second, false},
	} {
		r := &run{s: parse(t, ""), show: play.Silent{}, paused: c.paused}
		e := report.Expectation{Key: c.key, Want: 0, Got: 3}
		if r.excuse(&e); e.Held != c.held {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
