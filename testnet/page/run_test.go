package page

import (
	"context"
	"io"
	"strings"
	"testing"

	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/play/simulated"
	"tagma/testnet/scenario"
)

const small = `name = "a small run"
[workload]
operations = 20
[[event]]
at = "10ms"
do = "pause"
targets = [3]
for = "50ms"
`

// With both engines, a page shows a run while it goes on: the events in replicas, the faults, the texts of the run, and
// the verdict.
func TestRun_IsShownToItsVerdict(t *testing.T) {
	t.Parallel()
	for _, engine := range []play.Engine{simulated.Engine{}, processes.Engine{}} {
		s, err := scenario.Parse("small.toml", []byte(small))
		if err != nil {
			t.Fatal(err)
		}
		ui, err := Open(0)
		if err != nil {
			t.Fatal(err)
		}
		defer ui.Close()
		var said strings.Builder
		traced := ui.Run(&said, s, engine.Name(), play.Trace{})
		at, token, _ := strings.Cut(ui.server.Address(), "#token=")
		if !strings.Contains(said.String(), at) {
			t.Errorf("it is said that %s", said.String())
		}
		b := &browser{t: t, at: at, token: token}
		lines := b.stream()
		d, err := play.Run(t.Context(), engine, s, play.Options{Dir: t.TempDir(), Trace: traced}, ui.Around(play.Silent{}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, over := context.WithCancel(t.Context())
		over()
		ui.Stay(ctx, io.Discard, d)
		got := map[string]int{}
		for last := ""; ; {
			line := lines.until("the end", func(seen) bool { return true })
			got[line.Event+line.Step]++
			got[line.Frame]++
			if line.Frame == "kept" && last == "verdict" {
				break
			}
			if line.Frame != "kept" { // a page that was opened early has also received the first lines
				last = line.Frame
			}
		}
		for what, least := range map[string]int{
			"header": 1, "processstarted": 4, "phase": 12, "executed": 4, "faultfired": 1, "faulthealed": 1, "sent": 100, "note": 3, "verdict": 1,
		} {
			if got[what] < least {
				t.Errorf("%s: %d times %s, want %d at least", engine.Name(), got[what], what, least)
			}
		}
	}
}
