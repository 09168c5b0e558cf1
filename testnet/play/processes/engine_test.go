package processes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

func TestMain(m *testing.M) {
	local.RunIfReplica()
	os.Exit(m.Run())
}

// parse reads a scenario, and sets a window so large that no replica can fall behind by more than the window.
func parse(t *testing.T, text string) *scenario.Scenario {
	t.Helper()
	if !strings.Contains(text, "[settings]") {
		text += "\n[settings]\nview_timeout = \"2s\"\ncheckpoint_interval = 8\nlog_window = 1024\n"
	}
	s, err := scenario.Parse("test.toml", []byte("name = \"test\"\n"+text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// runs runs a scenario. If the test fails, it prints the report.
func runs(t *testing.T, text string) *report.Document {
	t.Helper()
	d, err := play.Run(t.Context(), Engine{}, parse(t, text), play.Options{Dir: t.TempDir()}, play.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := json.MarshalIndent(d, "", "  ")
			t.Logf("%s", text)
		}
	})
	return d
}

func passes(t *testing.T, d *report.Document) {
	t.Helper()
	switch {
	case d.Verdict == report.Inconclusive:
		t.Skipf("the machine is too busy to judge: %q", d.Excuses())
	case d.Verdict != report.Pass:
		t.Error("the verdict is not pass")
	}
}

func TestEngine_KillsPausesPartitionsAndMeasures(t *testing.T) {
	t.Parallel()
	d := runs(t, `
[workload]
kind = "mixed"
clients = 4
operations = 400
baseline = true
[[malicious]]
replica = 3
behaviour = "corrupt"
until = "200ms"
[[event]]
after_operations = 200
do = "kill"
targets = [2]
for = "200ms"
[[event]]
at = "1500ms"
do = "partition"
groups = [[0, 1], [2, 3]]
for = "200ms"
[[event]]
at = "2s"
do = "pause"
targets = [1]
for = "100ms"
[[rule]]
match = { type = "commit", from = [1], to = [2] }
action = "drop"
until = "1s"
[expect]
acknowledged = "all"
evidence = []
digests_equal = true
`)
	passes(t, d)
	if d.Operations.Acknowledged < 400 || d.Throughput.Baseline == 0 || d.Throughput.Ratio == nil {
		t.Errorf("%+v %+v", d.Operations, d.Throughput)
	}
	if len(d.Faults) != 5 { // the end of a fault is not a fault
		t.Errorf("%d faults are told", len(d.Faults))
	}
	for _, f := range d.Faults {
		if !f.Fired || f.RecoveredMS == nil {
			t.Errorf("%+v", f)
		}
	}
}

// Requests are sent over links of their own, and only to the replicas that the scenario names. The answers are judged.
func TestEngine_SendsRequestsAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	const request = "[[request]]\nclient = 3\nsession = 7\nnumber = 1\n"
	d := runs(t, `
[workload]
kind = "mixed"
clients = 2
operations = 200
`+request+`
at = "50ms"
operations = ["put k bad"]
signature = "of c0"
answer = "nothing"
`+request+`
at = "600ms"
operations = ["put k a", "get k"]
to = [2]
answer = "executed"
[[request]]
client = 3
session = 8
number = 1
when = "any replica executed 30"
operations = ["put k b"]
answer = ["conflict", "executed"]
[[event]]
when = "any replica executed 60"
do = "kill"
targets = [3]
`+request+`
when = "any replica executed 80"
operations = ["put k c"]
to = [0, 3]
[expect]
acknowledged = "all"
max_view_changes = 0
`)
	fired := 0
	var last report.Fault
	for _, f := range d.Faults {
		if f.Fired {
			fired++
		}
		if strings.Contains(f.What, "asks [0 3]") {
			last = f
		}
	}
	answers := 0
	for _, e := range d.Expect {
		if strings.HasPrefix(e.Key, "answer") && e.Held {
			answers++
		}
	}
	if answers != 3 || fired != 4 || last.Fired || !strings.Contains(last.What, "replica 3: it does not run") {
		t.Errorf("%d answers as wanted, %d faults; to one that does not run: %+v", answers, fired, last)
	}
}

// At each of the moments, the process ends itself. The run counts that as its own fault, and not as an end that was not
// planned.
func TestEngine_ReplicasDieAtMoments(t *testing.T) {
	t.Parallel()
	text := `
[workload]
kind = "mixed"
clients = 4
operations = 300
`
	for i, moment := range []string{`before_durable = "commit"`, `before_send = "prepare"`, `before_execute = 40`, `after_execute = 60`, `before_send = "checkpoint"`} {
		text += fmt.Sprintf("[[event]]\nat = \"%dms\"\ndo = \"kill\"\ntargets = [%d]\n%s\nfor = \"100ms\"\n", 100+400*i, 1+i%3, moment)
	}
	d := runs(t, text+"[expect]\nacknowledged = \"all\"\nevidence = []\nmax_view_changes = 0\ndigests_equal = true\n")
	passes(t, d)
	if len(d.Faults) != 5 {
		t.Errorf("%d faults are told", len(d.Faults))
	}
	for _, f := range d.Faults {
		if !f.Fired || !f.Planned || f.RecoveredMS == nil {
			t.Errorf("%+v", f)
		}
	}
}

// If a moment never comes, the run ends and fails.
func TestEngine_AMomentThatNeverComesFailsTheRun(t *testing.T) {
	t.Parallel()
	s := parse(t, "[workload]\noperations = 20\n[[event]]\nat = \"0s\"\ndo = \"kill\"\ntargets = [2]\nbefore_send = \"new-view\"\n")
	d, err := play.Run(t.Context(), Engine{MayStall: 2 * time.Second}, s, play.Options{Dir: t.TempDir()}, play.Silent{})
	if err != nil {
		t.Fatal(err)
	}
	if f := d.Faults[0]; d.Verdict == report.Pass || f.Fired {
		t.Errorf("%s: %+v", d.Verdict, f)
	}
}

func TestEngine_DamagedDisksAreNoticedAndTornOnesMended(t *testing.T) {
	t.Parallel()
	d := runs(t, `
[workload]
kind = "put"
clients = 4
operations = 300
[[event]]
after_operations = 50
do = "torn-write"
targets = [1]
[[event]]
after_operations = 100
do = "restart"
targets = [1]
[[event]]
after_operations = 200
do = "bit-flip"
targets = [2]
[[event]]
after_operations = 250
do = "restart"
targets = [2]
[expect]
acknowledged = "all"
stopped = []
digests_equal = true
`)
	passes(t, d)
	if d.Replicas[2].Role != "correct" || d.Replicas[1].Role != "correct" {
		t.Errorf("%+v", d.Replicas)
	}
}

func TestEngine_AFaultThatTouchesNothingFails(t *testing.T) {
	t.Parallel()
	d := runs(t, `
[workload]
kind = "register"
clients = 2
operations = 50
[[rule]]
match = { type = "new-view" }
action = "drop"
`)
	if d.Verdict == "pass" {
		t.Error("a rule that matched nothing passes as a fault that was masked (I18)")
	}
}

func TestEngine_RefusesInOneSentence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"lose-unsynced":    {"[[event]]\nat = \"1s\"\ndo = \"lose-unsynced\"\ntargets = [0]", "lose-unsynced"},
		"io-error":         {"[[event]]\nat = \"1s\"\ndo = \"io-error\"\ntargets = [0]", "io-error"},
		"after_first_send": {"[[event]]\nat = \"1s\"\ndo = \"kill\"\ntargets = [0]\nafter_first_send = \"commit\"", "after it sent a commit"},
		"script":           {"[[script]]\nat = \"0s\"\nfrom = 0\nto = [1]\nsend = { type = \"heartbeat\", view = 1 }", "scripts"},
		"order":            {"[[event]]\nat = \"1s\"\ndo = \"submit\"\noperations = [\"c0: put k a\"]\n[expect]\norder = [\"c0: put k a\"]", "order"},
	} {
		s := parse(t, c.text)
		err := play.Refuse(Engine{}, s)
		if err == nil {
			t.Errorf("%s is not refused", name)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "test.toml:") || !strings.Contains(text, c.want) ||
			!strings.Contains(text, "--engine sim") || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestEngine_InterruptedLeavesNobodyBehind(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir, user := t.TempDir(), &hasty{cancel: cancel}
	_, err := play.Run(ctx, Engine{}, parse(t, "[workload]\nkind = \"put\"\nduration = \"60s\"\n"), play.Options{Dir: dir}, user)
	if !errors.Is(err, context.Canceled) || user.after != "" {
		t.Errorf("%v; it went on with %q", err, user.after)
	}
	for id := range 4 {
		if pid := served(t, filepath.Join(dir, "cluster", fmt.Sprintf("replica%d", id))); pid != 0 {
			t.Errorf("process %d still serves replica %d", pid, id)
		}
	}
}

// hasty is a user who presses Ctrl-C as soon as the load begins.
type hasty struct {
	play.Silent
	cancel context.CancelFunc
	after  string // a phase that began after Ctrl-C; "": none
}

// Phase implements play.Show.
func (h *hasty) Phase(name, _ string) {
	if name == "load" {
		h.cancel()
	} else if h.after == "" && name != "start" {
		h.after = name
	}
}

func TestEngine_SubmitsStopsAndStartsClients(t *testing.T) {
	t.Parallel()
	d := runs(t, `
[workload]
kind = "register"
clients = 2
operations = 100
[[event]]
after_operations = 40
do = "stop-clients"
for = "200ms"
[[event]]
after_operations = 60
do = "submit"
operations = ["c0: put k a", "c1: get k", "c0: delete k"]
[expect]
acknowledged = "all"
`)
	passes(t, d)
	if d.Operations.Submitted < 103 {
		t.Errorf("%+v", d.Operations)
	}
}

func TestEngine_ABankKeepsItsMoney(t *testing.T) {
	t.Parallel()
	d := runs(t, `
machine = "bank"
[workload]
kind = "bank"
clients = 3
operations = 150
[[event]]
after_operations = 50
do = "kill"
targets = [0]
for = "100ms"
[[malicious]]
client = 5
behaviour = "client-flood"
valid = 20
invalid = 20
[expect]
acknowledged = "all"
`)
	passes(t, d)
	ids := ""
	for _, i := range d.Invariants {
		if i.Checked > 0 {
			ids += i.ID + " "
		}
	}
	for _, id := range []string{"I3 ", "I4 ", "I9 ", "I18 "} {
		if !strings.Contains(ids, id) {
			t.Errorf("%sis not checked", id)
		}
	}
}

func TestEngine_KeysAreThereBeforeTheWorkloadAndAreOverwritten(t *testing.T) {
	t.Parallel()
	d := runs(t, `
[workload]
kind = "put"
clients = 2
in_flight = 3
keys = 50
operations = 120
[expect]
acknowledged = "all"
`)
	passes(t, d)
	for _, i := range d.Invariants {
		if want := 50 + 120; (i.ID == "I3" || i.ID == "I9") && i.Checked != want {
			t.Errorf("%s: %d writes were checked, want %d", i.ID, i.Checked, want)
		}
	}
}
