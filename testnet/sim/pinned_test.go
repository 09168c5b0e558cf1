package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Plans that once broke an invariant now keep all invariants. The name of a plan says what broke, and why.
func TestRun_PlansThatBrokeSomethingHold(t *testing.T) {
	files, err := filepath.Glob("testdata/plans/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no pinned plans:", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := ParsePlan(text)
			if err != nil {
				t.Fatal(err)
			}
			out, err := Run(p)
			if err != nil {
				t.Fatal(err)
			}
			if out.Violation != nil {
				t.Fatalf("%s\n%v\nagain: tagma-testnet sim --plan testnet/sim/%s", strings.Join(out.Trace, "\n"), out.Violation, file)
			}
			if out.Counts.Acknowledged == 0 {
				t.Error("I18: nothing was acknowledged")
			}
		})
	}
}
