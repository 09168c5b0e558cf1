package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
)

const runnable = `name = "a small run"
[workload]
operations = 20
[[event]]
at = "10ms"
do = "pause"
targets = [3]
for = "50ms"
`

const forProcesses = `name = "streams"
[workload]
operations = 20
[[malicious]]
replica = 3
behaviour = "exhaust"
`

// simulate runs scenarios that are written into files, and returns the exit code and both outputs.
func simulate(t *testing.T, flags []string, texts ...string) (code int, stdout, stderr string) {
	t.Helper()
	args := append([]string{"run", "--engine", "sim"}, flags...)
	for i, text := range texts {
		path := filepath.Join(t.TempDir(), string(rune('a'+i))+".toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	var out, err bytes.Buffer
	code = execute(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestRun_SimulatesAScenario(t *testing.T) {
	code, stdout, stderr := simulate(t, []string{"--json"}, runnable)
	if code != command.Done || !strings.Contains(stdout, `"engine": "sim"`) || !strings.Contains(stdout, `"verdict": "pass"`) {
		t.Errorf("code %d\n%s\n%s", code, stdout, stderr)
	}
	if _, again, _ := simulate(t, []string{"--json"}, runnable); again != stdout {
		t.Errorf("the same file and seed gave another report:\n%s\n%s", stdout, again)
	}
	if _, other, _ := simulate(t, []string{"--json", "--seed", "9"}, runnable); !strings.Contains(other, `"seed": 9`) {
		t.Errorf("--seed was not heeded:\n%s", other)
	}
}

func TestRun_SkipsOfSeveralWhatTheEngineCannotShow(t *testing.T) {
	code, stdout, stderr := simulate(t, nil, runnable, forProcesses)
	if code != command.Done || !strings.Contains(stdout, "skipped: ") || !strings.Contains(stdout, "--engine processes") {
		t.Errorf("code %d\n%s\n%s", code, stdout, stderr)
	}
	if code, _, stderr := simulate(t, nil, forProcesses); code != command.Unusable || strings.Count(stderr, "\n") != 1 {
		t.Errorf("alone: code %d, %q", code, stderr)
	}
}

func TestRun_AFailureInTheSimulatorSaysHowToHaveItAgainAndLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	code, stdout, stderr := simulate(t, []string{"--seed", "5", "--dir", dir}, runnable+"[expect]\nsafe = false\n")
	if code != command.Failed || stderr != "" || !strings.Contains(stdout, "a.toml --engine sim --seed 5\n") ||
		!strings.Contains(stdout, "again: tagma-testnet run ") || strings.Contains(stdout, "evidence are in") {
		t.Errorf("code %d\n%s\n%s", code, stdout, stderr)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("an empty directory is left: %v", err)
	}
	_, stdout, _ = simulate(t, nil, runnable, forProcesses)
	if !strings.Contains(stdout, "1 of 1 passed, 1 skipped") {
		t.Error(stdout)
	}
}

func TestRun_RefusesABadScenarioInOneLine(t *testing.T) {
	for text, want := range map[string]string{
		strings.Replace(runnable, "[3]", "[4]", 1):           "there is no replica 4",
		strings.Replace(runnable, "pause", "pose", 1):        "pause",
		"replicas = 3\n" + runnable:                          "replicas: 3 replicas mask no liar",
		strings.Replace(forProcesses, "exhaust", "exost", 1): "there is no behaviour",
	} {
		code, _, stderr := simulate(t, nil, text)
		if code != command.Unusable || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "a.toml:") {
			t.Errorf("code %d, %q, not %q", code, stderr, want)
		}
	}
	if code, _, stderr := simulate(t, nil, runnable, runnable); code != command.Unusable || !strings.Contains(stderr, "name") {
		t.Errorf("two of one name: code %d, %q", code, stderr)
	}
}
