package flood

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tagma/internal/machines"
	"tagma/internal/terminal"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/link"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/history"
	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

//go:embed flood.toml
var text []byte

// Options say how many clients there are, what they send, and who attacks beside them.
type Options struct {
	Dir        string // an existing, empty directory for the clusters' files
	Honest     int    // honest clients, each with a key and a session of its own
	Workers    int    // requests that each honest client has under way
	Operations int    // how many the honest clients submit in all, in each measurement
	Valid      int    // flooding clients whose requests are valid
	Invalid    int    // flooding clients whose signatures are bad
	Assaults   []Assault

	ViewTimeout time.Duration // T
}

// Defaults are the options of `tagma-testnet flood`.
func Defaults() Options {
	return Options{Honest: 8, Workers: 2, Operations: 4000, Valid: 2, Invalid: 1, ViewTimeout: time.Second}
}

// Who attacks.
const (
	AsClient   = "client"               // with a registered key of its own
	AsReplica  = scenario.KeyOfBackup   // with the key of a backup, beside that replica
	AsOutsider = scenario.KeyOfOutsider // with a key that nobody knows
)

const replicas = 4

// Assault is an attack that is measured in addition to the flooding clients, or instead of them.
type Assault struct {
	As     string
	Choice byzantine.Choice
}

// Check returns an error for options that make no sense, by the names of their flags.
func (o *Options) Check() error {
	switch {
	case o.Honest < 1 || o.Workers < 1 || o.Operations < 4:
		return fmt.Errorf("there is nothing to measure with --clients %d, --in-flight %d and --ops %d; give at least 1, 1 and 4",
			o.Honest, o.Workers, o.Operations)
	case o.Valid < 0 || o.Invalid < 0 || o.Valid+o.Invalid+len(o.Assaults) == 0:
		return fmt.Errorf("nobody floods with --valid %d and --invalid %d; give at least one client", o.Valid, o.Invalid)
	}
	return nil
}

// ParseAssaults reads which attackers attack, and how: "replica=malformed", perhaps followed by parameters. If a name or
// value does not exist, the error is a *byzantine.UnknownError.
func ParseAssaults(texts []string) ([]Assault, error) {
	var all []Assault
	for _, text := range texts {
		who, behaviour, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("%q; write an attacker and its behaviour, such as replica=malformed", text)
		}
		choice, err := tamper.Split(behaviour)
		a := Assault{As: who, Choice: choice}
		if err == nil {
			err = a.Check()
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		all = append(all, a)
	}
	return all, nil
}

// SuggestAssaults lists how a text for ParseAssaults can continue: with attackers, and then with what they do.
func SuggestAssaults(given string) (all []string) {
	who, behaviour, named := strings.Cut(given, "=")
	if !named {
		return []string{AsClient + "=", AsReplica + "=", AsOutsider + "="}
	}
	catalogue := byzantine.ClientBehaviours()
	if who != AsClient {
		catalogue = slices.DeleteFunc(byzantine.Catalogue(), func(b byzantine.Behaviour) bool {
			return !link.OnLinks(byzantine.Choice{Name: b.Name})
		})
	}
	for _, s := range tamper.Suggest(behaviour, catalogue) {
		all = append(all, who+"="+s)
	}
	return all
}

// Check returns an error if an assault is impossible.
func (a *Assault) Check() error {
	switch {
	case a.As == AsClient:
		return byzantine.CheckClient(a.Choice, replicas, history.Burdens(machines.KV, ""))
	case a.As != AsReplica && a.As != AsOutsider:
		return &byzantine.UnknownError{What: "attacker", Name: a.As, Known: []string{AsClient, AsReplica, AsOutsider}}
	case !link.OnLinks(a.Choice):
		return fmt.Errorf("a %s can attack links only: with exhaust or malformed, not %q", a.As, a.Choice.Name)
	}
	return byzantine.Check(a.Choice, replicas)
}

// A flood sends more requests per second than replicas accept from one client.
var (
	validFlood   = byzantine.Choice{Name: "client-flood", Values: map[string]string{"valid": "3000", "invalid": "0"}}
	invalidFlood = byzantine.Choice{Name: "client-flood", Values: map[string]string{"valid": "0", "invalid": "10000"}}
)

// scenario returns the scenario of the embedded file with these options. All attackers attack during the whole run.
func (o *Options) scenario() (*scenario.Scenario, error) {
	s, err := scenario.Parse("flood.toml", text)
	if err != nil {
		return nil, err
	}
	s.Settings.ViewTimeout.Duration = o.ViewTimeout
	s.Workload.Clients, s.Workload.InFlight, s.Workload.Operations = o.Honest, o.Workers, o.Operations
	add := func(c byzantine.Choice, as string) {
		m := scenario.Malicious{Client: new(o.Honest + len(s.Malicious)), Choice: c}
		if as != AsClient {
			m.Key = as
		}
		s.Malicious = append(s.Malicious, m)
	}
	for range o.Valid {
		add(validFlood, AsClient)
	}
	for range o.Invalid {
		add(invalidFlood, AsClient)
	}
	for _, a := range o.Assaults {
		add(a.Choice, a.As)
		if a.Choice.Name == "client-equivocation" { // a client that contradicts itself may cause a view change
			s.Expect.MaxViewChanges = new(1)
		}
	}
	return s, nil
}

// Document is the result of a run, and what --json prints.
type Document struct {
	Scenario    string               `json:"scenario"`
	Verdict     string               `json:"verdict"`
	Baseline    Measured             `json:"baseline"` // without attacks: throughput before and after, latency after
	Flooded     Measured             `json:"flooded"`
	Ratio       *float64             `json:"ratio"` // Flooded's throughput over Baseline's; null: one is unknown
	ViewChanges int                  `json:"view_changes"`
	Flood       Attack               `json:"flood"`
	Assaults    []Told               `json:"assaults,omitempty"`
	Resident    Resident             `json:"rss_bytes"`
	Expect      []report.Expectation `json:"expect"`
	Invariants  []string             `json:"broken,omitempty"` // invariants that did not hold, and why
}

// Measured is what the honest clients experienced.
type Measured struct {
	Submitted    int            `json:"submitted"`
	Acknowledged int            `json:"acknowledged"`
	OpsPerSecond float64        `json:"ops_per_s"`
	Latency      report.Latency `json:"latency_ms"`
	Millis       int64          `json:"lasted_ms"`
}

// Resident is the memory of the replica that uses most, in bytes.
type Resident struct {
	Before int64 `json:"before"` // without the attack
	After  int64 `json:"after"`
}

// Attack is what the flooding clients did while the honest ones were measured. A request is sent to every replica, so it
// counts as several frames.
type Attack struct {
	ValidFrames   uint64 `json:"valid_frames"`
	InvalidFrames uint64 `json:"invalid_frames"`
	Executed      uint64 `json:"executed"` // valid requests that were executed, by the answers of an average replica
	Busy          uint64 `json:"busy"`     // answers Busy to valid requests, of an average replica
	Refused       uint64 `json:"refused"`  // invalid messages that the replicas refused, all replicas together
}

// Told is the counts of one assault.
type Told struct {
	As        string     `json:"as"`
	Behaviour string     `json:"behaviour"`
	Tally     link.Tally `json:"tally"`
}

// Run measures what the attacks cost. The error says why that was impossible; the document says which expectations failed.
func Run(ctx context.Context, o Options, show play.Show) (*Document, error) {
	s, err := o.scenario()
	if err != nil {
		return nil, err
	}
	d := &Document{Scenario: s.Name}
	engine := processes.Engine{Told: func(m *scenario.Malicious, t link.Tally) { o.told(d, *m.Client-o.Honest, m, t) }}
	r, err := play.Run(ctx, engine, s, play.Options{
		Dir: o.Dir,
		Measured: func(b *report.Document) {
			d.Baseline, d.Resident.Before = measured(b), max(d.Resident.Before, resident(b))
		},
		Also: func(r *report.Document) { o.judge(d, r) },
	}, show)
	if err != nil {
		return nil, err
	}
	d.Flooded, d.Resident.After = measured(r), resident(r)
	d.Baseline.OpsPerSecond, d.Ratio, d.ViewChanges = r.Throughput.Baseline, r.Throughput.Ratio, r.ViewChanges
	d.Verdict, d.Expect = r.Verdict, r.Expect
	for _, i := range r.Invariants {
		if !i.Held {
			d.Invariants = append(d.Invariants, i.ID+": "+i.Why)
		}
	}
	return d, nil
}

func measured(r *report.Document) Measured {
	m := Measured{
		Submitted: r.Operations.Submitted, Acknowledged: r.Operations.Acknowledged, OpsPerSecond: r.Throughput.OpsPerSecond, Latency: r.Latency,
	}
	if m.OpsPerSecond > 0 {
		m.Millis = int64(float64(m.Acknowledged) / m.OpsPerSecond * 1000)
	}
	return m
}

func resident(r *report.Document) (most int64) {
	for _, x := range r.Replicas {
		most = max(most, x.ResidentBytes)
	}
	return most
}

// told adds what the i-th attacker did to the document. Valid floods come first, then invalid ones, then the assaults.
func (o *Options) told(d *Document, i int, m *scenario.Malicious, t link.Tally) {
	switch {
	case i < o.Valid:
		d.Flood.ValidFrames += t.Frames
		d.Flood.Executed += t.Client.Outcomes[wire.OutcomeExecuted] / uint64(replicas)
		d.Flood.Busy += t.Client.Outcomes[wire.OutcomeBusy] / uint64(replicas)
	case i < o.Valid+o.Invalid:
		d.Flood.InvalidFrames += t.Frames
	default:
		as := m.Key
		if as == "" {
			as = AsClient
		}
		d.Assaults = append(d.Assaults, Told{As: as, Behaviour: m.Choice.Name, Tally: t})
	}
}

// judge adds the expectation that every attack reached the replicas. Without this, the run would show nothing.
func (o *Options) judge(d *Document, r *report.Document) {
	for _, x := range r.Replicas {
		d.Flood.Refused += x.Refused
	}
	r.Expected("valid_flood", "executed", d.Flood.Executed, d.Flood.Executed > 0 || o.Valid == 0)
	r.Expected("invalid_flood", "refused", d.Flood.Refused, d.Flood.Refused > 0 || o.Invalid == 0)
	for i := range d.Assaults {
		a := &d.Assaults[i]
		r.Expected(a.As+" "+a.Behaviour, "fired", a.Tally.Acts(), a.Tally.Acts() > 0)
	}
}

// Print writes the document as text for people.
func Print(w io.Writer, d *Document, style terminal.Style) error {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	say("\n%-10s %10s %10s %10s %10s\n", "", "ops/s", "p50 ms", "p99 ms", "max ms")
	row := func(name string, m *Measured) {
		say("%-10s %10.0f %10.1f %10.1f %10.1f\n", name, m.OpsPerSecond, m.Latency.P50, m.Latency.P99, m.Latency.Max)
	}
	row("baseline", &d.Baseline)
	row("attacked", &d.Flooded)
	perSecond := func(n uint64) float64 { return float64(n) * 1000 / float64(max(1, d.Flooded.Millis)) }
	ratio := "unknown"
	if d.Ratio != nil {
		ratio = fmt.Sprintf("%.2f", *d.Ratio)
	}
	say("\nratio %s; %d view changes\n", ratio, d.ViewChanges)
	if f := &d.Flood; f.ValidFrames+f.InvalidFrames > 0 {
		say("flood: %.0f valid and %.0f invalid frames a second; %.0f requests a second executed, %.0f turned away as busy\n",
			perSecond(f.ValidFrames), perSecond(f.InvalidFrames), perSecond(f.Executed), perSecond(f.Busy))
	}
	for _, a := range d.Assaults {
		t := &a.Tally
		say("%s, %s: %.0f frames a second; %.0f streams opened and %.0f refused a second, at most %d held at once; %.0f a second ended by replicas\n",
			a.As, a.Behaviour, perSecond(t.Frames), perSecond(t.Streams), perSecond(t.Refused), t.Held, perSecond(t.Dropped))
	}
	say("%.0f messages refused a second; the largest replica's memory went from %d to %d MiB\n",
		perSecond(d.Flood.Refused), d.Resident.Before>>20, d.Resident.After>>20)
	for _, broken := range d.Invariants {
		say("%s\n", broken)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return (&report.Document{Verdict: d.Verdict, Expect: d.Expect}).PrintVerdict(w, style)
}
