package flood

import (
	"fmt"
	"io"
)

// Print tells people what came of it.
func Print(w io.Writer, d *Document) error {
	text := fmt.Sprintf("\n%-10s %10s %10s %10s %10s\n", "", "ops/s", "p50 ms", "p99 ms", "max ms")
	for _, row := range []struct {
		name string
		m    Measured
	}{{"baseline", d.Baseline}, {"flooded", d.Flooded}} {
		text += fmt.Sprintf("%-10s %10.0f %10.1f %10.1f %10.1f\n", row.name, row.m.OpsPerSecond, row.m.Latency.P50,
			row.m.Latency.P99, row.m.Latency.Max)
	}
	perSecond := func(n uint64) float64 { return float64(n) * 1000 / float64(max(1, d.Flooded.Millis)) }
	text += fmt.Sprintf("\nratio %.2f, to be at least %.2f; %d view changes\n", d.Ratio, LowestRatio, d.ViewChanges)
	text += fmt.Sprintf("flood: %.0f valid and %.0f invalid frames a second; %.0f requests a second executed, %.0f turned away as busy, %.0f frames refused\n\n",
		perSecond(d.Flood.ValidFrames), perSecond(d.Flood.InvalidFrames), perSecond(d.Flood.Executed),
		perSecond(d.Flood.Busy), perSecond(d.Flood.Refused))
	for _, e := range d.Expect {
		if !e.Held {
			text += fmt.Sprintf("expected %s to be %v, got %v\n", e.Key, e.Want, e.Got)
		}
	}
	if d.Verdict == "pass" {
		text += "PASS: the honest clients keep their share\n"
	} else {
		text += "FAIL\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
