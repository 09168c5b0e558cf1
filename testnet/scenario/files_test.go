package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/testnet/byzantine"
)

// files are all scenario files of the repository.
func files(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.toml", "schedules/*.toml", "groups/*.toml"} {
		found, err := filepath.Glob(filepath.Join("..", "..", "scenarios", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no scenarios/%s: %v", pattern, err)
		}
		all = append(all, found...)
	}
	return all
}

func TestScenarios_AreGoodAndSayWhatToWatch(t *testing.T) {
	all, err := ReadAll(files(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		text, err := os.ReadFile(s.File)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# ") || s.About == "" {
			t.Errorf("%s: begins with no sentence on what to watch, or has no about", s.File)
		}
		e := s.Expect
		if e.MaxViewChanges == nil && e.MaxFinalView == nil && e.MinThroughputRatio == nil && e.CommitsWithin == nil &&
			e.DigestsEqual == nil && s.Across.Committed == nil && len(e.Order) == 0 && e.Evidence == nil && e.Breaks == nil {
			t.Errorf("%s: expects nothing but safety", s.File)
		}
		if !s.HasFaults() {
			t.Errorf("%s: nothing goes wrong in it", s.File)
		}
		if s.Workload.Baseline && e.MinThroughputRatio == nil {
			t.Errorf("%s: measures a baseline, and compares nothing with it", s.File)
		}
	}
}

// elsewhere lists the behaviours for which no file is needed, with the reason.
var elsewhere = map[string]string{
	"silent": "another name of send-omission",
	"slow":   "slow-backup and slow-primary are its settings",
	"crash":  "crash.toml kills the process itself",
}

func TestScenarios_CoverTheCatalogue(t *testing.T) {
	all, err := ReadAll(files(t))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range all {
		for _, m := range s.Malicious {
			used[m.Choice.Name] = true
			if m.Client != nil {
				used["client "+m.Choice.Name] = true
			}
		}
		for _, e := range s.Events {
			used[e.Do] = true
			if e.Ring {
				used["ring"] = true
			}
			if e.Direction != "" {
				used["one-way"] = true
			}
			if e.Do == ChangeLink {
				used["loss"] = used["loss"] || e.Link.Loss > 0
				used["duplicate"] = used["duplicate"] || e.Link.Duplicate > 0
				used["reorder"] = used["reorder"] || e.Link.Reorder > 0
				used["delay"] = used["delay"] || e.Link.Delay > s.Network.Delay
			}
			if e.Do == Kill && len(e.Targets) == s.Replicas {
				used["cluster-crash"] = true
			}
		}
	}
	for _, b := range byzantine.Catalogue() {
		if !used[b.Name] && elsewhere[b.Name] == "" {
			t.Errorf("no scenario has the behaviour %s", b.Name)
		}
	}
	for _, b := range byzantine.ClientBehaviours() {
		if !used["client "+b.Name] {
			t.Errorf("no scenario has a client with the behaviour %s", b.Name)
		}
	}
	for _, row := range []string{
		Kill, Restart, Pause, Wipe, TornWrite, BitFlip, LoseUnsynced, DiskFull, IOError, ClockJump, FlipState, Partition, "ring", "one-way",
		"delay", "loss", "duplicate", "reorder", "cluster-crash",
	} {
		if !used[row] {
			t.Errorf("no scenario has %s", row)
		}
	}
}
