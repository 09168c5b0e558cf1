package demo

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

func TestMain(m *testing.M) {
	local.RunIfReplica()
	os.Exit(m.Run())
}

// small is a demonstration that takes a second or two. Its view timeout is far longer than any step takes on a busy
// machine: the lie is noticed by evidence, without a timer.
func small(t *testing.T) Options {
	o := Defaults(t.TempDir(), 1)
	o.SegmentBytes = 64 << 10
	s := o.Scenario
	s.Settings.LogWindow, s.Settings.ViewTimeout.Duration = 32, 8*time.Second
	s.Workload.Clients, s.Workload.InFlight, s.Workload.Operations = 2, 4, 1200
	s.Malicious[0].Choice.Values["from_seq"] = "20"
	for i := range s.Events {
		s.Events[i].AfterOperations = 600
	}
	return o
}

func give(t *testing.T, o Options, show play.Show) *report.Document {
	t.Helper()
	d, err := Run(context.Background(), o, show)
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

func TestDemo_MasksALyingPrimaryAndACrashOfAll(t *testing.T) {
	t.Parallel()
	d := give(t, small(t), play.Silent{})
	switch d.Verdict {
	case report.Pass:
	case report.Inconclusive:
		t.Skipf("the machine is too busy to judge: %q", d.Excuses())
	default:
		t.Error("the verdict is not pass")
	}
	if d.Operations.Acknowledged < 1200 || d.Operations.Acknowledged != d.Operations.Submitted {
		t.Errorf("%+v", d.Operations)
	}
	if len(d.Faults) != 2 || !d.Faults[0].Fired || d.Faults[0].RecoveredMS == nil || d.Faults[1].RecoveredMS == nil {
		t.Errorf("%+v", d.Faults)
	}
	if len(d.Evidence) != 1 || d.Evidence[0].Replica != 0 || !d.Evidence[0].Verified || d.Evidence[0].Proofs < 1 {
		t.Errorf("%+v", d.Evidence)
	}
	for _, key := range []string{
		"completed", "safe", "acknowledged", "min_view_changes", "max_view_changes", "evidence", "digests_equal", "journals_shrank",
		"stopped",
	} {
		if !slices.ContainsFunc(d.Expect, func(e report.Expectation) bool { return e.Key == key }) {
			t.Errorf("the report does not judge %s, on which scripts rely", key)
		}
	}
	for _, r := range d.Replicas {
		if r.Correct == (r.ID == 0) || r.ResidentBytes == 0 || r.Correct && r.JournalBytes >= r.JournalWritten {
			t.Errorf("%+v", r)
		}
	}
}

// saboteur kills replicas when a phase begins, without the knowledge of the demonstration.
type saboteur struct {
	t       *testing.T
	dir     string
	phase   string
	victims []string

	mu    sync.Mutex
	notes []string
	play.Silent
}

// Phase implements play.Show.
func (s *saboteur) Phase(name, _ string) {
	if name != s.phase {
		return
	}
	for _, v := range s.victims {
		if err := syscall.Kill(pidOf(s.t, filepath.Join(s.dir, "cluster", v)), syscall.SIGKILL); err != nil {
			s.t.Errorf("kill %s: %v", v, err)
		}
	}
}

// Happened implements play.Show.
func (s *saboteur) Happened(h play.Happening) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.Kind == play.Bad {
		s.notes = append(s.notes, h.What)
	}
}

// pidOf finds the process that serves a home.
func pidOf(t *testing.T, home string) int {
	t.Helper()
	lists, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lists) == 0 {
		t.Skip("this system does not list processes in /proc")
	}
	for _, path := range lists {
		args, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(args), "\x00"+home+"\x00") {
			continue
		}
		pid := 0
		for _, digit := range filepath.Base(filepath.Dir(path)) {
			pid = 10*pid + int(digit-'0')
		}
		return pid
	}
	t.Fatalf("no process serves %s", home)
	return 0
}

func TestDemo_TellsOfAReplicaThatSomebodyElseKilled(t *testing.T) {
	t.Parallel()
	o := small(t)
	s := &saboteur{t: t, dir: o.Dir, phase: "read back", victims: []string{"replica3"}}
	d := give(t, o, s)
	if len(d.Faults) != 3 || d.Faults[2].Planned || !strings.Contains(d.Faults[2].What, "replica 3") {
		t.Errorf("%+v", d.Faults)
	}
	if d.Replicas[3].Correct {
		t.Error("the killed replica counts as correct")
	}
	if s.mu.Lock(); len(s.notes) == 0 || !strings.Contains(s.notes[0], "not by this run") {
		t.Errorf("said %q", s.notes)
	}
	s.mu.Unlock()
}

func TestDemo_EndsWithAFailedVerdictWhenTooManyAreKilled(t *testing.T) {
	t.Parallel()
	o := small(t)
	o.Stall = 2 * time.Second
	d := give(t, o, &saboteur{t: t, dir: o.Dir, phase: "load", victims: []string{"replica1", "replica2"}})
	if d.Verdict != "fail" {
		t.Error("the verdict is not fail")
	}
	held := map[string]bool{}
	for _, e := range d.Expect {
		held[e.Key] = e.Held
	}
	for _, key := range []string{"completed", "safe", "digests_equal"} {
		if held[key] {
			t.Errorf("expectation %s held", key)
		}
	}
	if sum := d.Operations; sum.Submitted != sum.Acknowledged+sum.Failed+sum.Unknown {
		t.Errorf("%+v does not add up", sum)
	}
}

func TestDemo_InterruptedIsNoVerdict(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := Run(ctx, small(t), interrupter{cancel: cancel})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// interrupter is the user who presses Ctrl-C while there is load.
type interrupter struct {
	play.Silent
	cancel context.CancelFunc
}

// Phase implements play.Show.
func (i interrupter) Phase(name, _ string) {
	if name == "load" {
		i.cancel()
	}
}

// The malicious primary may cause one view change, and so may each replica that was killed by somebody else.
func TestExpect_ViewsAndJournalsAreBounded(t *testing.T) {
	dead := report.Fault{Fired: true}
	for views, c := range map[int]struct {
		faults []report.Fault
		broken string
	}{0: {nil, "min_view_changes"}, 1: {nil, ""}, 2: {nil, "max_view_changes"}, 3: {[]report.Fault{dead, dead}, ""}} {
		d := &report.Document{ViewChanges: views, Faults: c.faults, Replicas: []report.Replica{{Role: "correct", JournalWritten: 1}}}
		expect(d)
		broken := ""
		for _, e := range d.Expect {
			if !e.Held {
				broken += e.Key
			}
		}
		if broken != c.broken {
			t.Errorf("%d views: %q is broken, not %q", views, broken, c.broken)
		}
	}
}
