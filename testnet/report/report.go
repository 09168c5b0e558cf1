// Package report is the report of a run of a cluster: the JSON document that `tagma-testnet run --json` and `demo
// --json` print, and the same as text for people.
//
// Its field names are a contract with scripts: fields may be added, none may change. Times are milliseconds since the
// workload began, sequence numbers count batches, sizes are bytes. The package computes what follows from the numbers it
// is given; it measures nothing itself.
package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"tagma/testnet/check"
)

// Document is the whole report.
type Document struct {
	Scenario         string     `json:"scenario"`
	Engine           string     `json:"engine"`  // processes or sim
	Seed             uint64     `json:"seed"`    // seed of the workload; the timing is different in each run
	Verdict          string     `json:"verdict"` // Pass, Fail or Inconclusive
	Operations       Operations `json:"operations"`
	Throughput       Throughput `json:"throughput"`
	Latency          Latency    `json:"latency_ms"`
	ViewChanges      int        `json:"view_changes"` // distinct views that became active after view 0
	FinalView        uint64     `json:"final_view"`
	StableCheckpoint uint64     `json:"stable_checkpoint"` // the lowest of the correct replicas'
	// The longest time for which the system did not let this program run.
	LongestStallMS int64          `json:"longest_stall_ms"`
	Faults         []Fault        `json:"faults"`
	Invariants     []check.Result `json:"invariants"`
	Evidence       []Evidence     `json:"evidence"`
	Replicas       []Replica      `json:"replicas"`
	Expect         []Expectation  `json:"expect"`
	Seeds          *Seeds         `json:"seeds,omitempty"` // if the scenario was run with several

	// Of a scenario over several clusters: what became of the transactions over them, and the report of each cluster.
	Transactions *Transactions `json:"transactions,omitempty"`
	Clusters     []*Document   `json:"clusters,omitempty"`
	Cluster      string        `json:"cluster,omitempty"` // in such a part, the cluster's name
}

// Transactions are those over several clusters.
type Transactions struct {
	Made      int    `json:"made"`
	Committed int    `json:"committed"`
	Aborted   int    `json:"aborted"`
	Died      int    `json:"drivers_died"`
	Lied      int    `json:"drivers_lied"`
	Open      uint64 `json:"open"`   // still prepared at the end
	Locks     uint64 `json:"locks"`  // still held at the end
	Minted    uint64 `json:"minted"` // money, in all banks together
	Sums      []Sum  `json:"sums"`   // what each bank holds at the end
}

// Sum is what a bank holds.
type Sum struct {
	Cluster string `json:"cluster"`
	Money   uint64 `json:"money"`
}

// Seeds are the runs of one scenario with several seeds. The document that contains it is that of the first run that did
// not pass, or otherwise of the first run.
type Seeds struct {
	First  uint64   `json:"first"`
	Runs   int      `json:"runs"`
	Passed int      `json:"passed"`
	Failed []Failed `json:"failed"` // the others, inconclusive ones too
}

// Failed is a seed with which a scenario did not pass.
type Failed struct {
	Seed    uint64 `json:"seed"`
	Verdict string `json:"verdict"`
	Again   string `json:"again"` // the command that runs it again
}

// Operations counts what clients did.
type Operations struct {
	Submitted    int `json:"submitted"`
	Acknowledged int `json:"acknowledged"`
	Failed       int `json:"failed"`  // answered with an error, or never sent
	Unknown      int `json:"unknown"` // given up while the outcome was open
}

// Throughput is acknowledged operations per second.
type Throughput struct {
	OpsPerSecond float64  `json:"ops_per_s"`          // over the whole workload, faults included
	Baseline     float64  `json:"baseline_ops_per_s"` // in the part before the first fault, or in a run of its own; 0: unknown
	Ratio        *float64 `json:"ratio"`              // null: there is nothing to compare with
	Apart        bool     `json:"baseline_apart"`     // the baseline was measured in a run of its own, without faults
}

// Latency is how long acknowledged operations took, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Fault is a fault of the run, or an event that was not planned.
type Fault struct {
	What        string `json:"what"`
	Fired       bool   `json:"fired"`
	AtMS        int64  `json:"at_ms"`
	RecoveredMS *int64 `json:"recovered_ms"` // until operations were acknowledged again; null if never
	Planned     bool   `json:"planned"`
	Calm        bool   `json:"calm,omitempty"` // it harms nobody, so there is nothing to recover from
	// It did not happen because its time had not come; a busy machine can be the reason.
	Late bool `json:"-"`
}

// Evidence is a replica against which others have evidence.
type Evidence struct {
	Replica  int    `json:"replica"`
	Kind     string `json:"kind"`
	Verified bool   `json:"verified"` // every proof holds, checked with the cluster's public keys alone
	Proofs   int    `json:"proofs"`
}

// Replica is how a replica was at the end.
type Replica struct {
	ID             int    `json:"id"`
	Correct        bool   `json:"correct"`
	Role           string `json:"role"` // correct, malicious, down, paused, stopped (by itself), killed (by somebody else), lost its disk
	Executed       uint64 `json:"executed"`
	Stable         uint64 `json:"stable_checkpoint"`
	StateDigest    string `json:"state_digest"`
	ResidentBytes  int64  `json:"rss_bytes"` // the most that was seen
	Refused        uint64 `json:"refused"`   // messages that it refused
	JournalBytes   int64  `json:"journal_bytes"`
	JournalPeak    int64  `json:"journal_peak_bytes"`    // the most that was seen
	JournalWritten int64  `json:"journal_written_bytes"` // all segments there ever were
}

// Expectation is something that must hold, with what was found.
type Expectation struct {
	Key  string `json:"key"`
	Want any    `json:"want"`
	Got  any    `json:"got"`
	Held bool   `json:"held"`
	// Excused says why a failure is not judged: its cause cannot be known. Empty: it is judged.
	Excused string `json:"excused,omitempty"`
}

// AddProof adds evidence against a replica, and whether it is valid. Evidence of the same kind against a replica is
// counted together.
func (d *Document) AddProof(replica int, kind string, holds bool) {
	i := slices.IndexFunc(d.Evidence, func(e Evidence) bool { return e.Replica == replica && e.Kind == kind })
	if i < 0 {
		d.Evidence = append(d.Evidence, Evidence{Replica: replica, Kind: kind, Verified: holds, Proofs: 1})
		slices.SortStableFunc(d.Evidence, func(a, b Evidence) int { return cmp.Compare(a.Replica, b.Replica) })
		return
	}
	d.Evidence[i].Proofs++
	d.Evidence[i].Verified = d.Evidence[i].Verified && holds
}

// Unsafe reports whether the scenario expects that the cluster does not mask its faults.
func (d *Document) Unsafe() bool {
	return slices.ContainsFunc(d.Expect, func(e Expectation) bool { return e.Key == "safe" && e.Want == false })
}

// LowestStable sets the document's stable checkpoint to the lowest one of the replicas that count, 0 if none counts.
func (d *Document) LowestStable(counts func(*Replica) bool) {
	least := uint64(math.MaxUint64)
	for i := range d.Replicas {
		if r := &d.Replicas[i]; counts(r) {
			least = min(least, r.Stable)
		}
	}
	if d.StableCheckpoint = 0; least != math.MaxUint64 {
		d.StableCheckpoint = least
	}
}

// Convicted returns the replicas against which there is valid evidence.
func (d *Document) Convicted() []int {
	ids := []int{}
	for _, e := range d.Evidence {
		if e.Verified {
			ids = append(ids, e.Replica)
		}
	}
	return ids
}

// SortInvariants sorts invariants by number. Rules of other kinds come last.
func (d *Document) SortInvariants() {
	number := func(r check.Result) (n int) {
		if _, err := fmt.Sscanf(r.ID, "I%d", &n); err != nil {
			return math.MaxInt
		}
		return n
	}
	slices.SortStableFunc(d.Invariants, func(a, b check.Result) int { return cmp.Compare(number(a), number(b)) })
}

// Latencies summarises durations by nearest rank. It sorts them.
func Latencies(took []time.Duration) Latency {
	slices.Sort(took)
	at := func(q float64) float64 {
		if len(took) == 0 {
			return 0
		}
		rank := max(int(math.Ceil(q*float64(len(took)))), 1)
		return Round(float64(took[rank-1].Microseconds()) / 1000)
	}
	return Latency{P50: at(0.50), P95: at(0.95), P99: at(0.99), Max: at(1)}
}

// Round keeps two decimals, because a run is not more precise.
func Round(x float64) float64 { return math.Round(x*100) / 100 }

// Verdicts.
const (
	Pass = "pass"
	Fail = "fail"
	// Inconclusive means that only excused expectations failed: the run does not show whether they hold.
	Inconclusive = "inconclusive"
)

// Expected adds an expectation.
func (d *Document) Expected(key string, want, got any, held bool) {
	d.Expect = append(d.Expect, Expectation{Key: key, Want: want, Got: got, Held: held})
}

// Judge sets the verdict: Pass when every expectation and every invariant held, and some fact was checked for each that
// had any to check; Inconclusive when all that did not hold is excused. A run that was to break an invariant fails if all
// held.
func (d *Document) Judge() {
	d.Verdict = Pass
	miss := func(excused string) {
		switch {
		case excused == "":
			d.Verdict = Fail
		case d.Verdict == Pass:
			d.Verdict = Inconclusive
		}
	}
	for _, e := range d.Expect {
		if !e.Held {
			miss(e.Excused)
		}
	}
	broken := slices.ContainsFunc(d.Expect, func(e Expectation) bool { return e.Key == "safe" && e.Want == false })
	for _, r := range d.Invariants {
		if !broken && (!r.Held || r.Checked == 0 && !r.Idle) {
			miss(r.Excused)
		}
	}
}

// Excuses returns the reasons why failures are not judged, each once.
func (d *Document) Excuses() (reasons []string) {
	add := func(held bool, excused string) {
		if !held && excused != "" && !slices.Contains(reasons, excused) {
			reasons = append(reasons, excused)
		}
	}
	for _, e := range d.Expect {
		add(e.Held, e.Excused)
	}
	for _, r := range d.Invariants {
		add(r.Held, r.Excused)
	}
	return reasons
}
