package flood

import (
	"fmt"
	"io"

	"tagma/testnet/report"
)

// Print tells people what came of it.
func Print(w io.Writer, d *Document) error {
	text := fmt.Sprintf("\n%-10s %10s %10s %10s %10s\n", "", "ops/s", "p50 ms", "p99 ms", "max ms")
	for _, row := range []struct {
		name string
		m    Measured
	}{{"baseline", d.Baseline}, {"attacked", d.Flooded}} {
		text += fmt.Sprintf("%-10s %10.0f %10.1f %10.1f %10.1f\n", row.name, row.m.OpsPerSecond, row.m.Latency.P50,
			row.m.Latency.P99, row.m.Latency.Max)
	}
	perSecond := func(n uint64) float64 { return float64(n) * 1000 / float64(max(1, d.Flooded.Millis)) }
	text += fmt.Sprintf("\nratio %.2f, to be at least %.2f; %d view changes\n", d.Ratio, LowestRatio, d.ViewChanges)
	if d.Flood.ValidFrames+d.Flood.InvalidFrames > 0 {
		text += floodLine(d, perSecond)
	}
	for _, a := range d.Assaults {
		text += fmt.Sprintf("%s, %s: %.0f frames a second; %.0f streams opened and %.0f refused a second, at most %d held at once; %.0f a second ended by replicas\n",
			a.As, a.Behaviour, perSecond(a.Tally.Frames), perSecond(a.Tally.Streams), perSecond(a.Tally.Refused), a.Tally.Held, perSecond(a.Tally.Dropped))
	}
	text += fmt.Sprintf("%.0f messages refused a second; the largest replica's memory went from %d to %d MiB\n\n",
		perSecond(d.Flood.Refused), d.Resident.Before>>20, d.Resident.After>>20)
	for _, e := range d.Expect {
		if !e.Held {
			text += fmt.Sprintf("expected %s to be %v, got %v\n", e.Key, e.Want, e.Got)
		}
	}
	if d.Verdict == report.Pass {
		text += "PASS: the honest clients keep their share\n"
	} else {
		text += "FAIL\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func floodLine(d *Document, perSecond func(uint64) float64) string {
	return fmt.Sprintf("flood: %.0f valid and %.0f invalid frames a second; %.0f requests a second executed, %.0f turned away as busy\n",
		perSecond(d.Flood.ValidFrames), perSecond(d.Flood.InvalidFrames), perSecond(d.Flood.Executed), perSecond(d.Flood.Busy))
}
