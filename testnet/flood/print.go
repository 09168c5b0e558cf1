package flood

import (
	"fmt"
	"io"
	"strings"

	"tagma/testnet/report"
)

// Print tells people what came of it.
func Print(w io.Writer, d *Document) error {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	say("\n%-10s %10s %10s %10s %10s\n", "", "ops/s", "p50 ms", "p99 ms", "max ms")
	row := func(name string, m *Measured) {
		say("%-10s %10.0f %10.1f %10.1f %10.1f\n", name, m.OpsPerSecond, m.Latency.P50, m.Latency.P99, m.Latency.Max)
	}
	row("baseline", &d.Baseline)
	row("attacked", &d.Flooded)
	perSecond := func(n uint64) float64 { return float64(n) * 1000 / float64(max(1, d.Flooded.Millis)) }
	say("\nratio %.2f; %d view changes\n", d.Ratio, d.ViewChanges)
	if f := &d.Flood; f.ValidFrames+f.InvalidFrames > 0 {
		say("flood: %.0f valid and %.0f invalid frames a second; %.0f requests a second executed, %.0f turned away as busy\n",
			perSecond(f.ValidFrames), perSecond(f.InvalidFrames), perSecond(f.Executed), perSecond(f.Busy))
	}
	for _, a := range d.Assaults {
		t := &a.Tally
		say("%s, %s: %.0f frames a second; %.0f streams opened and %.0f refused a second, at most %d held at once; %.0f a second ended by replicas\n",
			a.As, a.Behaviour, perSecond(t.Frames), perSecond(t.Streams), perSecond(t.Refused), t.Held, perSecond(t.Dropped))
	}
	say("%.0f messages refused a second; the largest replica's memory went from %d to %d MiB\n\n",
		perSecond(d.Flood.Refused), d.Resident.Before>>20, d.Resident.After>>20)
	excused := ""
	for _, e := range d.Expect {
		if !e.Held {
			say("expected %s to be %v, got %v\n", e.Key, e.Want, e.Got)
			if e.Excused != "" {
				excused = e.Excused
			}
		}
	}
	for _, broken := range d.Invariants {
		say("%s\n", broken)
	}
	switch d.Verdict {
	case report.Pass:
		say("PASS: the honest clients keep their share\n")
	case report.Inconclusive:
		say("INCONCLUSIVE: %s; run it again when it is quieter\n", excused)
	default:
		say("FAIL\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
