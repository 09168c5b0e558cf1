package flood

import (
	"os"
	"strings"
	"testing"
	"time"

	"tagma/testnet/local"
	"tagma/testnet/report"
)

func TestMain(m *testing.M) {
	local.RunIfReplica()
	os.Exit(m.Run())
}

type silence struct{}

func (silence) Begin(string, string)     {}
func (silence) Advance(int, int, string) {}
func (silence) End(string, ...any)       {}

// How fast it is depends on the machine, and is measured by `tagma-testnet flood`. What does not: every honest request is
// answered, and nobody blames the primary for the flood.
func TestC6_AFloodDeposesNobodyAndHonestRequestsAreAnswered(t *testing.T) {
	o := Defaults()
	o.Dir, o.Operations, o.Honest, o.Workers, o.Requests = t.TempDir(), 100, 2, 2, 2000
	o.ViewTimeout = 8 * time.Second // far above what a busy machine takes for anything
	d, err := Run(t.Context(), o, silence{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range d.Expect {
		if e.Key != "min_throughput_ratio" && !e.Held {
			t.Errorf("%s should be %v, and is %v", e.Key, e.Want, e.Got)
		}
	}
	if d.Flood.ValidFrames == 0 || d.Flood.InvalidFrames == 0 {
		t.Errorf("I18: there was no flood: %+v", d.Flood)
	}
	t.Logf("%+v", d)
}

func TestJudge_FailsBelowTheRatioAndWithoutAFlood(t *testing.T) {
	good := func() *Document {
		done := Measured{Submitted: 1, Acknowledged: 1}
		return &Document{Baseline: done, Flooded: done, Ratio: LowestRatio, Flood: Attack{Executed: 1, Refused: 1}}
	}
	r := &run{Options: Defaults()}
	for name, spoil := range map[string]func(*Document){
		"":                     func(*Document) {},
		"min_throughput_ratio": func(d *Document) { d.Ratio = LowestRatio - 0.01 },
		"max_view_changes":     func(d *Document) { d.ViewChanges = 1 },
		"acknowledged":         func(d *Document) { d.Flooded.Submitted = 2 },
		"valid_flood":          func(d *Document) { d.Flood.Executed = 0 },
		"invalid_flood":        func(d *Document) { d.Flood.Refused = 0 },
	} {
		d := good()
		spoil(d)
		r.judge(d)
		var failed []string
		for _, e := range d.Expect {
			if !e.Held {
				failed = append(failed, e.Key)
			}
		}
		if got := strings.Join(failed, " "); got != name || (d.Verdict == "pass") != (name == "") {
			t.Errorf("the verdict is %s because of %q, not of %q", d.Verdict, got, name)
		}
	}
}

func TestPrint_TellsTheRatioAndWhatFailed(t *testing.T) {
	var out strings.Builder
	d := &Document{Ratio: 0.5, Verdict: "fail", Expect: []report.Expectation{{Key: "min_throughput_ratio", Want: 0.8, Got: 0.5}}}
	if err := Print(&out, d); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"ratio 0.50", "expected min_throughput_ratio to be 0.8, got 0.5", "FAIL"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out.String())
		}
	}
}
