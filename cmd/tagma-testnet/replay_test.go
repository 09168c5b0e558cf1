package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// The printed form of a trace must not change. The trace testdata/replay.jsonl is from a seed in which the view
// changes three times.
func TestReplay_Golden(t *testing.T) {
	code, got, stderr := run("replay", "testdata/replay.jsonl")
	if code != command.Done || stderr != "" {
		t.Fatalf("exit code %d, %q", code, stderr)
	}
	if *update {
		if err := os.WriteFile("testdata/replay.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/replay.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("replay prints\n%s\nwant testdata/replay.txt; refresh it with -update if the new one is right", got)
	}
}

// A simulated run always has the same trace. Replaying the trace prints the same as the run.
func TestReplay_TheTraceOfASeedIsAlwaysTheSame(t *testing.T) {
	dir := t.TempDir()
	traced := func(name string, args ...string) string {
		file := filepath.Join(dir, name)
		if code, _, stderr := run(append([]string{"sim", "--seed", "5", "--steps", "4000", "--trace=" + file}, args...)...); code != command.Done {
			t.Fatal(stderr)
		}
		return file
	}
	first, second := traced("first"), traced("second")
	a, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(second)
	if err != nil || !bytes.Equal(a, b) {
		t.Fatal("two runs of a seed have two traces", err)
	}
	_, replayed, _ := run("replay", first)
	_, printed, _ := run("sim", "--seed", "5", "--steps", "4000", "--trace")
	if replayed == "" || !strings.HasPrefix(printed, replayed) {
		t.Error("replay prints something else than the run itself")
	}

	_, chosen, _ := run("replay", first, "--only", "process,phase")
	_, same, _ := run("replay", traced("some", "--only", "process,phase"))
	if chosen != same || !strings.Contains(chosen, "pre-prepared") || strings.Contains(chosen, " → ") {
		t.Errorf("of the phases alone is printed\n%s", chosen)
	}
	_, again, _ := run("replay", first, "--json")
	if _, events, _ := strings.Cut(string(a), "\n"); again != events {
		t.Error("--json does not print the events as the file has them")
	}
}

func TestReplay_BadFilesAreOneLineWithThePlace(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	head := `{"tagma_trace":1,"engine":"sim","replicas":4}` + "\n"
	for want, args := range map[string][]string{
		"no such file":                    {"replay", filepath.Join(dir, "none")},
		"it is empty":                     {"replay", file("empty", "")},
		"line 1: not the head of a":       {"replay", file("text", "hello\n")},
		"line 3: not an event":            {"replay", file("torn", head+`{"at_us":1,"replica":0,"event":"lost","events":1}`+"\n{")},
		"did you mean phase?":             {"replay", "testdata/replay.jsonl", "--only", "phse"},
		"--only chooses among the events": {"sim", "--only", "phase"},
		"give one of them":                {"sim", "--seeds", "2", "--trace=" + filepath.Join(dir, "x")},
	} {
		code, _, stderr := run(args...)
		if code != command.Unusable || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, %q; want %q", args, code, stderr, want)
		}
	}

	newer := file("newer", head+strings.Repeat(`{"at_us":1,"replica":0,"event":"dreamt"}`+"\n", 3)+`{"at_us":2,"replica":0,"event":"lost","events":1}`)
	code, stdout, stderr := run("replay", newer)
	if code != command.Done || strings.Count(stdout, "\n") != 1 || stderr != "skipped: 3 events of the kind \"dreamt\", which this version does not know\n" {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// Both engines write a trace of a run, which contains the scenario's faults at the times when they happened.
func TestRun_Traces(t *testing.T) {
	for _, engine := range []string{"sim", "processes"} {
		file := filepath.Join(t.TempDir(), "trace.jsonl")
		code, _, stderr := simulate(t, []string{"--engine", engine, "--json", "--trace", file}, runnable)
		if code != command.Done {
			t.Fatalf("%s: exit code %d, %s", engine, code, stderr)
		}
		_, text, _ := run("replay", file)
		fault := strings.Index(text, "fault fired: pause replica3")
		healed := strings.Index(text, "fault healed: resume replica3")
		if fault < 0 || healed < fault || strings.Index(text, "committed v0 s") > strings.LastIndex(text, "executed s") {
			t.Errorf("%s: the fault fires at %d and is healed at %d of\n%s", engine, fault, healed, text[:min(len(text), 3000)])
		}
		for id := range 4 {
			if part := " r" + string(rune('0'+id)) + "  executed s1, "; !strings.Contains(text, part) {
				t.Errorf("%s: there is no %q", engine, part)
			}
		}
	}
	code, _, stderr := simulate(t, []string{"--trace", "x"}, runnable, strings.Replace(runnable, "small", "second", 1))
	if code != command.Unusable || !strings.Contains(stderr, "give one") {
		t.Errorf("two scenarios into one trace: exit code %d, %s", code, stderr)
	}
}
