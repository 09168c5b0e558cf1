package local

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tagma/checkpoint/store"
	"tagma/client"
	"tagma/internal/node"
	"tagma/testnet/byzantine"
)

// launcherCommand is an argument with which the test's program starts a cluster in a directory, prints its processes and
// waits to be killed.
const launcherCommand = "launcher"

func TestMain(m *testing.M) {
	RunIfReplica()
	if len(os.Args) == 3 && os.Args[1] == launcherCommand {
		launcher(os.Args[2])
	}
	os.Exit(m.Run())
}

func launcher(dir string) {
	c, err := Create(Options{Dir: dir, Replicas: 4})
	if err == nil {
		err = c.Start()
	}
	if err == nil {
		err = waitReady(c)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for id := range 4 {
		fmt.Println(c.Pid(id))
	}
	select {}
}

const patience = Patience

func waitReady(c *Cluster, ids ...int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.WaitReady(ctx, c.these(ids)...)
}

func start(t *testing.T, o Options) *Cluster {
	t.Helper()
	o.Dir, o.Replicas = t.TempDir(), 4
	c, err := Create(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := waitReady(c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCluster_IsKilledRestartedAndStoppedCleanly(t *testing.T) {
	c := start(t, Options{Awake: true, Malicious: map[int][]byzantine.Choice{3: {{Name: "equivocate"}}}})
	if !c.Malicious(3) || c.Malicious(0) {
		t.Error("not replica 3 alone is malicious")
	}
	before := c.Pid(1)
	c.Kill(1)
	if alive(before) || len(c.Running()) != 3 {
		t.Errorf("replica 1 survived SIGKILL; %v run", c.Running())
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := waitReady(c); err != nil {
		t.Fatal(err)
	}
	if c.Pid(1) == before {
		t.Error("replica 1 is not a new process")
	}
	if err := c.Stop(patience); err != nil {
		t.Error(err)
	}
	select {
	case d := <-c.Deaths():
		t.Errorf("an end that was asked for is told as a death: %v", d)
	default:
	}
}

func TestCluster_TellsADeathThatNobodyAskedFor(t *testing.T) {
	c := start(t, Options{})
	if err := syscall.Kill(c.Pid(2), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case d := <-c.Deaths():
		if d.Replica != 2 || !strings.Contains(d.String(), "killed") {
			t.Errorf("told as %q", d)
		}
	case <-time.After(patience):
		t.Fatal("the death was not told")
	}
}

func TestCluster_TellsWhyAReplicaEndedByItself(t *testing.T) {
	c, err := Create(Options{Dir: t.TempDir(), Replicas: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := os.Remove(filepath.Join(c.Home(0), node.KeyFile)); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(0); err != nil {
		t.Fatal(err)
	}
	select {
	case d := <-c.Deaths():
		if !strings.Contains(d.String(), "exit status 1") || !strings.Contains(d.String(), node.KeyFile) {
			t.Errorf("told as %q", d)
		}
	case <-time.After(patience):
		t.Fatal("the death was not told")
	}
}

func TestLauncher_KilledLeavesNoOrphanAndNoLock(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, launcherCommand, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < 4 && lines.Scan(); {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the launcher says %q", lines.Text())
		}
		pids = append(pids, pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if len(pids) != 4 {
		t.Fatalf("the launcher started %v", pids)
	}
	for _, pid := range pids {
		until(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !alive(pid) })
	}
	for id := range 4 {
		var s *store.Store
		// The system releases the files a little later than the process ends.
		until(t, fmt.Sprintf("replica %d has left no lock", id), func() bool {
			s, err = store.Open(filepath.Join(homeDir(dir, id), node.StateDir), store.Options{})
			return !errors.Is(err, store.ErrLocked)
		})
		if err != nil {
			t.Errorf("replica %d: %v", id, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReplica_EndsCleanlyWithItsStandardInput(t *testing.T) {
	c := start(t, Options{})
	c.mu.Lock()
	p := c.processes[0]
	p.expected = true
	c.mu.Unlock()
	if err := p.channel.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
		if !p.cmd.ProcessState.Success() {
			t.Errorf("it ended with %v", p.cmd.ProcessState)
		}
	case <-time.After(patience):
		t.Fatal("it lives on")
	}
}

// until polls a condition of other processes until it holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// alive reports whether a process runs. A process that has ended, but whose parent has not noticed that yet, does not
// run. A process whose first thread has ended before the others does run, and still has its files.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	if !strings.HasPrefix(state, "Z") {
		return true
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return err == nil && len(threads) > 1
}

func TestMetrics_AreThoseOfTheNames(t *testing.T) {
	t.Parallel()
	c, session := controlled(t, Options{})
	must(t, put(t, session, patience))
	values, err := c.Metrics(t.Context(), 0, "tagma_transfers_begun_total", "tagma_journal_records_total")
	if err != nil || values[0] != 0 || values[1] == 0 {
		t.Errorf("%v, %v", values, err)
	}
	if _, err := c.Metrics(t.Context(), 0, "tagma_none"); err == nil {
		t.Error("a metric that there is not has a value")
	}
}

// A cluster and a client may be closed more than once; after that they start nothing.
func TestClose_MayBeCalledAgain(t *testing.T) {
	c, err := Create(Options{Dir: t.TempDir(), Replicas: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	session, err := client.Dial(ctx, c.ClusterFile(), c.ClientKey(0))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := session.Close(); err != nil {
			t.Errorf("a client: %v", err)
		}
	}
	c.Close()
	c.Close()
	if err := c.Start(0); !errors.Is(err, errClosed) {
		t.Errorf("a closed cluster starts a replica: %v", err)
	}
}
