package flood

import (
	"os"
	"strings"
	"testing"
	"time"

	"tagma/internal/terminal"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

func TestMain(m *testing.M) {
	local.RunIfReplica()
	os.Exit(m.Run())
}

// measure runs a small measurement. It does not check speed, which depends on the machine; the command `tagma-testnet
// flood` measures that. It checks that every attack happens, every honest request is answered, and no primary is
// replaced.
func measure(t *testing.T, o Options) *Document {
	t.Helper()
	o.Dir, o.Honest, o.Workers = t.TempDir(), 2, 2
	o.ViewTimeout = 8 * time.Second // far above what a busy machine takes for anything
	d, err := Run(t.Context(), o, play.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range d.Expect {
		if e.Key != "min_throughput_ratio" && !e.Held {
			t.Errorf("%s should be %v, and is %v", e.Key, e.Want, e.Got)
		}
	}
	if len(d.Invariants) > 0 || d.Resident.Before == 0 || d.Resident.After == 0 || d.Baseline.Acknowledged == 0 {
		t.Errorf("%+v", d)
	}
	t.Logf("%+v", d)
	return d
}

func TestC6_AFloodDeposesNobodyAndHonestRequestsAreAnswered(t *testing.T) {
	o := Defaults()
	o.Operations = 200
	if d := measure(t, o); d.Flood.ValidFrames == 0 || d.Flood.InvalidFrames == 0 || d.Flooded.Acknowledged == 0 {
		t.Errorf("I18: there was no flood: %+v", d.Flood)
	}
}

func TestJudge_FailsWithoutAnAttack(t *testing.T) {
	good := func() *Document {
		fired := Told{As: AsClient, Behaviour: "exhaust", Tally: link.Tally{Streams: 1}}
		return &Document{Flood: Attack{Executed: 1, Refused: 1}, Assaults: []Told{fired}}
	}
	o := Defaults()
	for name, spoil := range map[string]func(*Document){
		"":               func(*Document) {},
		"valid_flood":    func(d *Document) { d.Flood.Executed = 0 },
		"invalid_flood":  func(d *Document) { d.Flood.Refused = 0 },
		"client exhaust": func(d *Document) { d.Assaults[0].Tally = link.Tally{} },
	} {
		d, r := good(), &report.Document{}
		spoil(d)
		o.judge(d, r)
		var failed []string
		for _, e := range r.Expect {
			if !e.Held {
				failed = append(failed, e.Key)
			}
		}
		if got := strings.Join(failed, " "); got != name {
			t.Errorf("%q failed, not %q", got, name)
		}
	}
}

// The scenario has the attackers and the bounds that the flags name.
func TestScenario_HasEveryAttackerAndItsBounds(t *testing.T) {
	o := Defaults()
	o.Assaults = []Assault{{As: AsOutsider, Choice: validFlood}}
	s, err := o.scenario()
	if err != nil {
		t.Fatal(err)
	}
	e := &s.Expect
	if !s.Workload.Baseline || *e.MinThroughputRatio != 0.8 || *e.MaxViewChanges != 0 || *e.Acknowledged != scenario.All || len(s.Malicious) != 4 {
		t.Errorf("%+v", s)
	}
	if m := s.Malicious[3]; m.Key != scenario.KeyOfOutsider || *m.Client != o.Honest+3 {
		t.Errorf("%+v", m)
	}
	o.Assaults[0].Choice.Name = "client-equivocation"
	if s, err = o.scenario(); err != nil || *s.Expect.MaxViewChanges != 1 {
		t.Errorf("%+v, %v: a client that contradicts itself may cost a view", s.Expect, err)
	}
}

func TestPrint_TellsTheRatioAndWhatFailed(t *testing.T) {
	failed := []report.Expectation{{Key: "min_throughput_ratio", Want: 0.8, Got: 0.5, Excused: "the machine slept"}}
	for verdict, last := range map[string]string{report.Fail: "FAIL", report.Inconclusive: "INCONCLUSIVE: the machine slept", report.Pass: "PASS"} {
		var out strings.Builder
		if err := Print(&out, &Document{Ratio: new(0.5), Verdict: verdict, Expect: failed}, terminal.Style{}); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"ratio 0.50", "expected min_throughput_ratio to be 0.8, got 0.5", last} {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%q is missing in\n%s", part, out.String())
			}
		}
	}
}
