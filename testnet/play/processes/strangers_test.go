package processes

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"tagma/testnet/play"
)

// saboteur kills a replica when the load begins, without the engine's knowledge.
type saboteur struct {
	play.Silent
	t    *testing.T
	home string
}

// Phase implements play.Show.
func (s saboteur) Phase(name, _ string) {
	if name != "load" {
		return
	}
	pid := served(s.t, s.home)
	if pid == 0 {
		s.t.Fatalf("no process serves %s", s.home)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		s.t.Errorf("kill: %v", err)
	}
}

// served returns the process that serves a home, 0 if there is none.
func served(t *testing.T, home string) int {
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
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	return 0
}

func TestEngine_TellsOfAReplicaThatSomebodyElseKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := parse(t, "[workload]\nkind = \"put\"\nclients = 2\noperations = 300\n[expect]\nacknowledged = \"all\"\n")
	show := saboteur{t: t, home: filepath.Join(dir, "cluster", "replica3")}
	d, err := play.Run(t.Context(), Engine{}, s, play.Options{Dir: dir}, show)
	if err != nil {
		t.Fatal(err)
	}
	last := d.Faults[len(d.Faults)-1]
	if last.Planned || !last.Fired || !strings.Contains(last.What, "replica 3") || !strings.Contains(last.What, "not by this run") {
		t.Errorf("%+v", d.Faults)
	}
	if d.Replicas[3].Correct || d.Replicas[3].Role != "killed" {
		t.Errorf("%+v", d.Replicas[3])
	}
	passes(t, d) // the other three of four replicas mask this failure
}
