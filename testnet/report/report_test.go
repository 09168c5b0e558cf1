package report

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tagma/testnet/check"
)

func TestJudge_OneUnmetExpectationOrInvariantFails(t *testing.T) {
	good := func() *Document {
		return &Document{
			Expect:     []Expectation{{Key: "a", Held: true}},
			Invariants: []check.Result{{ID: "I1", Held: true, Checked: 3}},
		}
	}
	for name, c := range map[string]struct {
		change func(*Document)
		want   string
	}{
		"all held":              {func(*Document) {}, "pass"},
		"an expectation failed": {func(d *Document) { d.Expect[0].Held = false }, "fail"},
		"an invariant failed":   {func(d *Document) { d.Invariants[0].Held = false }, "fail"},
		"nothing was checked":   {func(d *Document) { d.Invariants[0].Checked = 0 }, "fail"},
		"broken, as was expected": {func(d *Document) {
			d.Invariants[0].Held, d.Expect[0] = false, Expectation{Key: "safe", Want: false, Got: false, Held: true}
		}, "pass"},
		"excused":              {func(d *Document) { d.Expect[0] = Expectation{Excused: "starved"} }, "inconclusive"},
		"an excused invariant": {func(d *Document) { d.Invariants[0] = check.Result{Checked: 1, Excused: "starved"} }, "inconclusive"},
		"excused, but unsafe": {func(d *Document) {
			d.Expect[0], d.Invariants[0].Held = Expectation{Excused: "starved"}, false
		}, "fail"},
		"unsafe, but excused": {func(d *Document) {
			d.Expect[0], d.Invariants[0] = Expectation{Key: "a"}, check.Result{Checked: 1, Excused: "starved"}
		}, "fail"},
		"excused, though it held": {func(d *Document) { d.Expect[0].Excused = "starved" }, "pass"},
		"nothing was there":       {func(d *Document) { d.Invariants[0].Checked, d.Invariants[0].Idle = 0, true }, "pass"},
	} {
		d := good()
		c.change(d)
		if d.Judge(); d.Verdict != c.want {
			t.Errorf("%s: verdict %s, not %s", name, d.Verdict, c.want)
		}
	}
}

func TestLatencies_AreNearestRanks(t *testing.T) {
	var took []time.Duration
	for ms := 100; ms > 0; ms-- {
		took = append(took, time.Duration(ms)*time.Millisecond)
	}
	if got := Latencies(took); got != (Latency{P50: 50, P95: 95, P99: 99, Max: 100}) {
		t.Errorf("%+v", got)
	}
	if got := Latencies(nil); got != (Latency{}) {
		t.Errorf("nothing took %+v", got)
	}
}

func TestDocument_HasTheContractsFields(t *testing.T) {
	b, err := json.Marshal(Document{Faults: []Fault{{}}, Evidence: []Evidence{{}}, Replicas: []Replica{{}}, Expect: []Expectation{{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{
		"scenario", "engine", "seed", "verdict", "operations", "submitted", "acknowledged", "failed", "unknown", "throughput",
		"ops_per_s", "baseline_ops_per_s", "ratio", "latency_ms", "p50", "p95", "p99", "max", "view_changes", "final_view",
		"stable_checkpoint", "faults", "what", "fired", "at_ms", "recovered_ms", "invariants", "evidence", "replica", "kind",
		"verified", "replicas", "id", "correct", "executed", "state_digest", "rss_bytes", "expect", "key", "want", "got", "held",
	} {
		if !strings.Contains(string(b), `"`+field+`":`) {
			t.Errorf("field %s is missing", field)
		}
	}
}

func TestDocument_SortsByNumberAndConvictsByProofsThatHold(t *testing.T) {
	d := &Document{
		Invariants: []check.Result{{ID: "I18"}, {ID: "E1"}, {ID: "I2"}, {ID: "D0"}, {ID: "I10"}},
		Evidence:   []Evidence{{Replica: 1}, {Replica: 3, Verified: true}},
	}
	d.SortInvariants()
	order := ""
	for _, r := range d.Invariants {
		order += r.ID + " "
	}
	if order != "I2 I10 I18 E1 D0 " {
		t.Error(order)
	}
	if got := d.Convicted(); len(got) != 1 || got[0] != 3 {
		t.Errorf("%v", got)
	}
}

func TestDocument_ProofsOfOneKindAreToldTogether(t *testing.T) {
	d := &Document{}
	d.AddProof(2, "equivocation", true)
	d.AddProof(0, "equivocation", true)
	d.AddProof(2, "equivocation", false)
	want := []Evidence{{0, "equivocation", true, 1}, {2, "equivocation", false, 2}}
	if !slices.Equal(d.Evidence, want) {
		t.Errorf("%+v", d.Evidence)
	}
}

// If a replica has no stable checkpoint yet, the document's is 0, whichever replica it is.
func TestDocument_TheStableCheckpointIsTheLowestThatCounts(t *testing.T) {
	d := &Document{Replicas: []Replica{{Correct: true, Stable: 0}, {Correct: true, Stable: 20}, {Stable: 10}}}
	for want, counts := range map[uint64]func(*Replica) bool{
		0:  func(r *Replica) bool { return r.Correct },
		10: func(r *Replica) bool { return r.Stable > 0 },
		20: func(r *Replica) bool { return r.Stable > 10 },
	} {
		if d.LowestStable(counts); d.StableCheckpoint != want {
			t.Errorf("%d, not %d", d.StableCheckpoint, want)
		}
	}
	if d.LowestStable(func(*Replica) bool { return false }); d.StableCheckpoint != 0 {
		t.Errorf("nobody's checkpoint is %d", d.StableCheckpoint)
	}
}

// Without a baseline there is no ratio. A ratio of 0 would mean something else.
func TestThroughput_WithoutABaselineThereIsNoRatio(t *testing.T) {
	for want, ratio := range map[string]*float64{`"ratio":null`: nil, `"ratio":0,`: new(0.0), `"ratio":0.5,`: new(0.5)} {
		if b, err := json.Marshal(Throughput{Ratio: ratio}); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s, %v; want %s", b, err, want)
		}
	}
}
