package explore_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tagma/testnet/explore"
	"tagma/testnet/mutants"
)

// hunt is the program that is built with a mutant in the code. It links less than tagma-testnet, so it is built faster.
const hunt = `package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"

	"tagma/testnet/explore"
)

func main() {
	o := explore.Defaults()
	o.Bind(flag.CommandLine)
	flag.Parse()
	if err := json.NewEncoder(os.Stdout).Encode(explore.Search(context.Background(), o, func(explore.Run) {})); err != nil {
		panic(err)
	}
}
`

// TestControl_TheSearchFindsWhatItIsFor runs a search with each mutant that the explorer must find. So it shows that a
// search can fail.
func TestControl_TheSearchFindsWhatItIsFor(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the core for each mutant")
	}
	list, err := mutants.List()
	if err != nil {
		t.Fatal(err)
	}
	hunted := 0
	for _, m := range list {
		if m.Hunter != mutants.Explore {
			continue
		}
		hunted++
		t.Run(m.Name, func(t *testing.T) {
			d := huntIn(t, m)
			found := d.Runs[len(d.Runs)-1].Finding
			if d.Verdict != explore.Fail || found == nil {
				t.Fatalf("survives: %s\n%+v", m.What, d)
			}
			if rule, _, _ := strings.Cut(found.What, ":"); !slices.Contains(m.Expect, rule) {
				t.Errorf("caught by %q, want %v", found.What, m.Expect)
			}
			t.Logf("%d states, %.1f s: %s\n%s", d.States, d.Seconds, found.What, strings.Join(found.Story, "\n"))
		})
	}
	if hunted < 6 {
		t.Errorf("%d mutants are the explorer's, want at least the stall of V7, the fork of V3 and the clauses of D8.6 and D8.7", hunted)
	}
}

// huntIn puts a mutant into the code, runs a search, and returns the report.
func huntIn(t *testing.T, m mutants.Mutant) explore.Document {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "main.go")
	if err := os.WriteFile(program, []byte(hunt), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := m.Overlay("../..", dir, map[string]string{"testnet/explore/control/main.go": program})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "-overlay", overlay, "./control"}, m.Flags...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("hunt for %s: %v\n%s", m.Name, err, stderr.String())
	}
	var d explore.Document
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatal(err)
	}
	return d
}
