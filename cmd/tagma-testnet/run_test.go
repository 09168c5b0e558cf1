package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/testnet/report"
)

// scenarioFile writes a scenario and returns its path.
func scenarioFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".toml")
	if err := os.WriteFile(path, []byte("name = \""+name+"\"\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const few = "[workload]\nkind = \"put\"\nclients = 2\noperations = 40\n"

func TestRun_UnusableScenariosAreOneLine(t *testing.T) {
	good := scenarioFile(t, "good", few)
	same := filepath.Join(t.TempDir(), "same.toml")
	if err := os.WriteFile(same, []byte("name = \"good\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no file":           {nil, "no scenario given"},
		"missing file":      {[]string{"missing.toml"}, "missing.toml: there is no such file; name a scenario"},
		"directory":         {[]string{t.TempDir()}, "it is a directory; name a file in it"},
		"empty file":        {[]string{os.DevNull}, "name: is missing"},
		"twice":             {[]string{good, good}, "is given twice"},
		"not simulated":     {[]string{scenarioFile(t, "links", few+"[[malicious]]\nreplica = 1\nbehaviour = \"exhaust\"\n"), "--engine", "sim"}, "--engine processes"},
		"typo":              {[]string{scenarioFile(t, "typo", "replicsa = 4\n")}, "did you mean replicas?"},
		"impossible target": {[]string{scenarioFile(t, "target", few+"[[event]]\nat = \"1s\"\ndo = \"kill\"\ntargets = [4]\n")}, "there is no replica 4"},
		"duplicate name":    {[]string{good, same}, "is the name of"},
		"wrong parameter":   {[]string{scenarioFile(t, "wrong", few+"[[malicious]]\nreplica = 0\nbehaviour = \"equivocate\"\nphas = \"commit\"\n")}, "did you mean phase?"},
		"three replicas":    {[]string{scenarioFile(t, "three", "replicas = 3\n")}, "replicas: 3 replicas mask no liar"},
		"engine":            {[]string{good, "--engine", "process"}, "did you mean processes?"},
		"no seeds":          {[]string{good, "--seeds", "0"}, "--seeds must be from 1"},
		"trace of seeds":    {[]string{good, "--seeds", "2", "--trace", "x"}, "leave --seeds out"},
		"mistyped flag":     {[]string{good, "--sead", "1"}, "did you mean --seed?"},
		"not on processes":  {[]string{scenarioFile(t, "power", few+"[[event]]\nat = \"1s\"\ndo = \"lose-unsynced\"\ntargets = [1]\n")}, "--engine sim"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(append([]string{"run"}, c.args...)...)
			if code != command.Unusable || stdout != "" {
				t.Errorf("exit code %d, output %q", code, stdout)
			}
			if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) {
				t.Errorf("%q is not one line with %q", stderr, c.want)
			}
		})
	}
}

func TestRun_SeveralFilesAreAnArrayAndOneFailureFails(t *testing.T) {
	t.Parallel()
	good := scenarioFile(t, "good", few)
	bad := scenarioFile(t, "bad", few+"[expect]\ndigests_equal = false\n") // starvation does not explain this
	var errs strings.Builder
	out := &watched{more: make(chan struct{}, 1)}
	dir := filepath.Join(t.TempDir(), "kept")
	power := scenarioFile(t, "power", few+"[[event]]\nat = \"1s\"\ndo = \"lose-unsynced\"\ntargets = [1]\n")
	code := execute(context.Background(), []string{"run", good, bad, power, "--json", "--seed", "9", "--dir", dir}, out, &errs)
	if code != command.Failed {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	var documents []report.Document
	if err := json.Unmarshal([]byte(out.String()), &documents); err != nil || len(documents) != 2 {
		t.Fatalf("%v in\n%s", err, out)
	}
	if documents[0].Verdict == report.Inconclusive {
		t.Skipf("the machine is too busy to judge: %q", documents[0].Excuses())
	}
	if documents[0].Verdict != "pass" || documents[1].Verdict != "fail" || documents[0].Seed != 9 {
		t.Errorf("%s\n%s", out, errs.String())
	}
	if !strings.Contains(errs.String(), "skipped: ") || !strings.Contains(errs.String(), "lose-unsynced") {
		t.Errorf("it does not say what it cannot run:\n%s", errs.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "2", "cluster", "replica0", "data", "journal")); err != nil {
		t.Errorf("what failed is not kept: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "1")); !os.IsNotExist(err) {
		t.Errorf("what passed is kept: %v", err)
	}
}

func TestRun_OneFileIsTheDocument(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	code := execute(context.Background(), []string{"run", scenarioFile(t, "one", few), "--json"}, &out, io.Discard)
	var d report.Document
	err := json.Unmarshal([]byte(out.String()), &d)
	if d.Verdict == report.Inconclusive {
		t.Skipf("the machine is too busy to judge: %q", d.Excuses())
	}
	if err != nil || code != command.Done || d.Engine != "processes" || d.Scenario != "one" {
		t.Errorf("exit code %d, %v in\n%s", code, err, out.String())
	}
}

// With several seeds, a scenario passes if it passes with each of them. For each seed that fails there is one line,
// which has the command that repeats the run.
func TestRun_SeveralSeedsAreOneDocumentThatNamesTheSeedsThatFail(t *testing.T) {
	t.Parallel()
	// With some seeds no message is lost, which I18 does not accept.
	few := scenarioFile(t, "few", few+"rate = 100\n[network]\nloss = 0.001\n")
	code, stdout, stderr := run("run", few, "--engine", "sim", "--seed", "4", "--seeds", "12", "--json")
	var d report.Document
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || d.Seeds == nil {
		t.Fatalf("%v in\n%s", err, stdout)
	}
	s := d.Seeds
	if s.First != 4 || s.Runs != 12 || s.Passed == 0 || s.Passed+len(s.Failed) != 12 || len(s.Failed) == 0 || code != command.Failed {
		t.Fatalf("exit code %d, %+v", code, s)
	}
	f := s.Failed[0]
	if d.Seed != f.Seed || d.Verdict != f.Verdict || strings.Count(stderr, "again: ") != len(s.Failed) || !strings.Contains(stderr, f.Again) {
		t.Errorf("seed %d is told, and %+v failed; progress:\n%s", d.Seed, s.Failed, stderr)
	}
	code, stdout, _ = run(append(strings.Fields(f.Again)[1:], "--json")...)
	var again report.Document
	if err := json.Unmarshal([]byte(stdout), &again); err != nil || code != command.Failed || again.Seed != f.Seed || again.Seeds != nil {
		t.Errorf("the command that repeats it: exit code %d, %v", code, err)
	}
	code, stdout, _ = run("run", few, "--engine", "sim", "--seed", "4", "--seeds", "12")
	if code != command.Failed || !strings.Contains(stdout, "0 of 1 passed with every seed") {
		t.Errorf("exit code %d:\n%s", code, stdout)
	}
}
