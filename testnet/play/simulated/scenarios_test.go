package simulated

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// problems lists all reasons why a run did not pass.
func problems(d *report.Document) (list []string) {
	for _, e := range d.Expect {
		if !e.Held {
			list = append(list, fmt.Sprintf("%s: want %v, got %v", e.Key, e.Want, e.Got))
		}
	}
	for _, i := range d.Invariants {
		if !i.Held || i.Checked == 0 && !i.Idle {
			list = append(list, fmt.Sprintf("%s: checked %d: %s", i.ID, i.Checked, i.Why))
		}
	}
	return list
}

// parse reads the text of a scenario.
func parse(t *testing.T, text string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func runText(t *testing.T, text string) *report.Document {
	t.Helper()
	d, err := play.Run(context.Background(), Engine{}, parse(t, text), play.Options{}, play.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const small = `name = "x"
seed = 3
[settings]
view_timeout = "500ms"
checkpoint_interval = 10
log_window = 40
[workload]
kind = "mixed"
operations = 100
clients = 4
rate = 100
baseline = true
[network]
loss = 0.02
jitter = "3ms"
[[event]]
after_operations = 30
do = "kill"
targets = [0]
for = "2T"
[[malicious]]
client = 3
behaviour = "client-equivocation"
`

func TestRun_TheSameSeedIsTheSameReport(t *testing.T) {
	a, b := runText(t, small), runText(t, small)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%+v\nand\n%+v", a, b)
	}
	if c := runText(t, strings.Replace(small, "seed = 3", "seed = 4", 1)); reflect.DeepEqual(a.Latency, c.Latency) {
		t.Error("another seed is the same run")
	}
}

const request = "[[request]]\nat = \"200ms\"\nclient = 9\nsession = 1\nnumber = 1\noperations = [\"put k a\"]\n"

// Each expectation can fail. So can the rule that every planned act must happen (I18).
func TestRun_WhatDoesNotHoldFailsTheVerdict(t *testing.T) {
	for name, c := range map[string]struct{ more, problem string }{
		"views":   {"[expect]\nmax_view_changes = 0\n", "max_view_changes: want 0, got 1"},
		"time":    {"[expect]\ncommits_within = \"1ms\"\n", "commits_within: want 1, got"},
		"latency": {"[expect]\nmax_latency = \"1ms\"\n", "max_latency: want 1, got"},
		"ratio":   {"[expect]\nmin_throughput_ratio = 1.5\n", "min_throughput_ratio: want 1.5, got"},
		"stopped": {"[[event]]\nat = \"9s\"\ndo = \"torn-write\"\ntargets = [2]\n[expect]\nstopped = [2]\n", "stopped: want [2], got []"},
		"talks":   {"[expect]\nsilent = { replica = 2, from = \"100ms\" }\n", "silent: want replica 2 sends nothing from 100ms on, got at 10"},
		"works": {
			"[expect]\nno_executions = { from = \"100ms\", until = \"300ms\" }\n",
			"no_executions: want nothing is executed from 100ms until 300ms, got at 1",
		},
		"never reached": {"[expect]\nsilent = { replica = 2, from = \"60s\" }\n", "silent: want replica 2 sends nothing from 1m0s on, got the run ended at"},
		"slots":         {"[expect]\nslots = { 1 = \"null\" }\n", "slots: want map[1:null], got map[1:"},
		"empty slot":    {"[expect]\nslots = { 5000 = \"requests\" }\n", "slots: want map[5000:requests], got map[5000:nothing]"},
		"no split":      {"[expect]\nsplit = true\n", "split: want true, got map[0:never stable 0, stable"},
		"never flipped": {"[[event]]\nat = \"1s\"\ndo = \"flip-state\"\ntargets = [2]\nkey = \"nobody's\"\n", "flip-state of \"nobody's\" at replica2"},
		"halted":        {"[expect]\nserves = false\n", "serves: want false, got true"},
		"forgot": { // the old copy is made at the moment at which it is put back
			"[[event]]\nat = \"2s\"\ndo = \"keep\"\ntargets = [2]\n[[event]]\nat = \"2s\"\ndo = \"rollback\"\ntargets = [2]\nfor = \"1ms\"\n",
			"rollback replica2: it touched nothing",
		},
		"idle rule": {
			"[[rule]]\nmatch = { type = \"commit\", view = 77 }\naction = \"drop\"\nuntil = \"never\"\n", "I18",
		},
		"another answer":   {request + "answer = \"conflict\"\n", "answer to line 24: want conflict, got executed by 4"},
		"an answer at all": {request + "answer = \"nothing\"\n", "answer to line 24: want nothing, got executed by 4"},
		"no answer":        {request + "signature = \"bad\"\nanswer = \"executed\"\n", "answer to line 24: want executed, got nothing"},
		"request to nobody": {
			"[[event]]\nat = \"100ms\"\ndo = \"kill\"\ntargets = [2]\nfor = \"1s\"\n" + request + "to = [1, 2]\n", "request 1 of session 1: it touched nothing",
		},
		"idle attacker":    {"[[malicious]]\nreplica = 3\nbehaviour = \"bad-new-view\"\n", "I18"},
		"safe after all":   {"[expect]\nsafe = false\n", "safe: want false, got true"},
		"nobody is proven": {"[[malicious]]\nreplica = 3\nbehaviour = \"corrupt\"\n[expect]\nevidence = [3]\n", "evidence: want [3], got []"},
	} {
		d := runText(t, small+c.more)
		if d.Verdict == "pass" || !strings.Contains(strings.Join(problems(d), "; "), c.problem) {
			t.Errorf("%s: the verdict is %s, for %q, and not for %q", name, d.Verdict, problems(d), c.problem)
		}
	}
}

func TestRefuse_WhatActsBelowMessages(t *testing.T) {
	err := play.Refuse(Engine{}, parse(t, "name = \"x\"\n[[malicious]]\nreplica = 3\nbehaviour = \"exhaust\"\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "test.toml:2: ") || !strings.Contains(err.Error(), "--engine processes") {
		t.Errorf("%v", err)
	}
}

// Every act is either refused or performed. An act for which the engine has no code would panic.
func TestRun_EveryActIsPerformedOrRefused(t *testing.T) {
	const base = "name = \"x\"\nseed = 3\n[workload]\nkind = \"mixed\"\noperations = 200\n"
	more := map[string]string{
		scenario.Partition: "groups = [[0, 1], [2, 3]]\n", scenario.ChangeLink: "from = [1]\nto = [2]\nloss = 1.0\n",
		scenario.ClockJump: "targets = [0]\nby = \"1h\"\n", scenario.Submit: "operations = [\"c0: put k a\"]\n",
		scenario.StopClients: "for = \"2s\"\n", scenario.Heal: "", scenario.Backup: "",
		scenario.Mount:    "targets = [1]\n[[event]]\nat = \"50ms\"\ndo = \"unmount\"\ntargets = [1]\n",
		scenario.Rollback: "targets = [1]\n[[event]]\nat = \"50ms\"\ndo = \"keep\"\ntargets = [1]\n",
		scenario.Restart:  "targets = [1]\n[[event]]\nat = \"50ms\"\ndo = \"kill\"\ntargets = [1]\n",
		scenario.Resume:   "targets = [1]\n[[event]]\nat = \"50ms\"\ndo = \"pause\"\ntargets = [1]\n",
	}
	for _, do := range scenario.Acts() {
		keys, special := more[do]
		switch {
		case do == scenario.Release || do == scenario.Heal || do == scenario.StartClients:
			continue // these acts end another event or rule, and are tested together with it
		case !special:
			keys = "targets = [1]\n"
		}
		head := base
		if do == scenario.Start {
			head = strings.Replace(base, "seed = 3", "absent = [1]", 1)
		}
		text := head + "[[event]]\nat = \"80ms\"\ndo = \"" + do + "\"\n" + keys
		if play.Refuse(Engine{}, parse(t, text)) != nil {
			continue
		}
		if d := runText(t, text); !d.Faults[0].Fired {
			t.Errorf("%s did not happen: %+v", do, d.Faults[0])
		}
	}
}

// The report shows a replica that is down as it was last seen. For each replica it says whether the replica is malicious
// or correct.
func TestRun_TellsReplicasAsTheyWere(t *testing.T) {
	d := runText(t, small+"[[event]]\nafter_operations = 50\ndo = \"kill\"\ntargets = [2]\n[[malicious]]\nreplica = 3\nbehaviour = \"corrupt\"\n")
	if r := d.Replicas[2]; r.Role != "down" || !r.Correct || r.Executed == 0 {
		t.Errorf("%+v", r)
	}
	if d.Replicas[3].Role != "malicious" || d.Replicas[0].Role != "correct" || len(d.Replicas[0].StateDigest) != 64 {
		t.Errorf("%+v", d.Replicas)
	}
	d = runText(t, small+"[[event]]\nat = \"200ms\"\ndo = \"wipe\"\ntargets = [1, 2]\nfor = \"100ms\"\n[expect]\nserves = false\n")
	if r := d.Replicas[1]; r.Role != "waits for others" || !r.Correct {
		t.Errorf("%+v", r)
	}
}

// I4: the whole history of a run with many operations and a crash is judged, by the order of execution.
func TestRun_MixedHistoriesAreJudged(t *testing.T) {
	d := runText(t, "name = \"x\"\n[workload]\nkind = \"mixed\"\noperations = 800\n[[event]]\nafter_operations = 200\ndo = \"kill\"\ntargets = [0]\n")
	for _, i := range d.Invariants {
		if i.ID == "I4" && i.Held && i.Note == "" && i.Checked >= 800 {
			return
		}
	}
	t.Errorf("%+v", d.Invariants)
}

// Three replicas continue and reach the same state. The fourth is disconnected for good and need not follow.
func TestRun_WhoeverIsCutOffForGoodIsNotWaitedFor(t *testing.T) {
	d := runText(t, "name = \"x\"\n[settings]\ncheckpoint_interval = 10\nlog_window = 40\n[workload]\nkind = \"put\"\noperations = 200\n"+
		"[[event]]\nafter_operations = 50\ndo = \"partition\"\ngroups = [[0, 1, 2], [3]]\n"+
		"[expect]\nacknowledged = \"all\"\ndigests_equal = true\n")
	if d.Verdict != report.Pass || d.Replicas[3].Executed >= d.Replicas[0].Executed || d.StableCheckpoint == 0 {
		t.Errorf("the verdict is %s: %q, %+v", d.Verdict, problems(d), d.Replicas)
	}
}

// The cost of an attacker is counted from its first lie, not from the time at which it may begin to lie.
func TestRun_AnAttackerBeginsWithItsFirstLie(t *testing.T) {
	d := runText(t, small+"[[malicious]]\nreplica = 0\nbehaviour = \"equivocate\"\nfrom_seq = 10\n")
	if f := d.Faults[1]; !f.Fired || f.AtMS == 0 || f.RecoveredMS == nil {
		t.Errorf("%+v", f)
	}
}

func TestRun_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := play.Run(ctx, Engine{}, parse(t, small), play.Options{}, play.Silent{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Every scenario file meets its expectations in virtual time. With -short only some of them run. That is enough under
// the race detector, because the simulator has only one goroutine.
func TestScenarios_Pass(t *testing.T) {
	const sample = 5
	for _, pattern := range []string{"*.toml", "schedules/*.toml", "groups/*.toml"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", "..", "scenarios", pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no scenarios/%s: %v", pattern, err)
		}
		for i, path := range paths {
			t.Run(filepath.Base(path), func(t *testing.T) {
				if testing.Short() && i%sample != 0 {
					t.Skip("takes long")
				}
				s, err := scenario.Read(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := play.Refuse(Engine{}, s); err != nil {
					t.Skip(err)
				}
				d, err := play.Run(context.Background(), Engine{}, s, play.Options{}, play.Silent{})
				if err != nil {
					t.Fatal(err)
				}
				if d.Verdict != "pass" {
					t.Errorf("the verdict is %s: %q", d.Verdict, problems(d))
				}
				if t.Failed() || testing.Verbose() {
					text, err := json.Marshal(map[string]any{
						"operations": d.Operations, "throughput": d.Throughput, "views": d.ViewChanges, "final": d.FinalView, "faults": d.Faults,
						"evidence": d.Evidence, "replicas": d.Replicas,
					})
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("%s", text)
					t.Logf("replay: go run ./cmd/tagma-testnet run %s --engine sim --seed %d", path, s.Seed)
				}
			})
		}
	}
}
