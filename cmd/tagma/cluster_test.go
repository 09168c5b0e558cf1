package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"tagma/internal/command"
	"tagma/internal/operate"
)

// makeCluster runs `tagma init` on free ports and returns the cluster's directory.
func makeCluster(t *testing.T, with ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "demo")
	must(t, append([]string{"init", "--dir", dir, "--base-port", strconv.Itoa(freePorts(t))}, with...)...)
	t.Setenv(operate.ClusterVariable, filepath.Join(dir, operate.ClusterFile))
	return dir
}

// nextPorts is the next block of ports for a cluster of four. The admin addresses are operate.AdminOffset ports
// higher. The ports are below those that the system uses for outgoing connections. No other package's tests use them:
// those of internal/node are lower, those of testnet/local higher. Test processes that run at the same time begin at
// different blocks.
var nextPorts atomic.Int32

func init() { nextPorts.Store(int32(os.Getpid() % 25 * 25)) }

// freePorts returns the first port of a block for a cluster of four of which no port is in use.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 625 {
		place := int(nextPorts.Add(1)) % 625
		base := 15_000 + place/25*2*operate.AdminOffset + place%25*4
		if allFree(base, 4) && allFree(base+operate.AdminOffset, 4) {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

func allFree(base, n int) bool {
	for port := base; port < base+n; port++ {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil || l.Close() != nil {
			return false
		}
	}
	return true
}

func home(dir string, replica int) string {
	return filepath.Join(dir, fmt.Sprintf("replica%d", replica))
}

// status is what `tagma status --json` prints.
func status(t *testing.T) (s operate.Status, code int) {
	t.Helper()
	o := tagma(t, "status", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &s); err != nil {
		t.Fatalf("%v: %v", o, err)
	}
	return s, o.code
}

// allConnected reports whether every replica answers and has links with all others.
func allConnected(s operate.Status) bool {
	for _, r := range s.Replicas {
		if !r.Reachable || len(r.Connected) != len(s.Replicas)-1 {
			return false
		}
	}
	return true
}

func TestCluster_ServesStopsAndCatchesUp(t *testing.T) {
	dir := makeCluster(t)
	var nodes [4]*process
	for i := range nodes {
		nodes[i] = startNode(t, home(dir, i))
	}
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })

	t.Run("keys", keysAreWrittenReadAndDeleted)
	t.Run("journal while it runs", func(t *testing.T) {
		if out := must(t, "journal", home(dir, 0)); !strings.Contains(out, "prepared") || !strings.Contains(out, "intact: 1 segment") {
			t.Errorf("the journal of a replica that has voted: %s", out)
		}
	})
	t.Run("one-shot clients", oneShotClientsAreNeverTurnedAway)

	for _, stopped := range []int{3, 0} { // first a backup, then the primary of view 0
		nodes[stopped].signal(syscall.SIGTERM)
		if code := nodes[stopped].exitCode(); code != command.Done {
			t.Fatalf("replica %d: exit code %d after SIGTERM; its log:\n%s", stopped, code, nodes[stopped].log())
		}
		if line := nodes[stopped].line(); line != fmt.Sprintf("replica %d stopped cleanly", stopped) {
			t.Errorf("replica %d said %q at its end", stopped, line)
		}
		for i := range 5 {
			must(t, "put", fmt.Sprintf("without%d/%d", stopped, i), "v")
		}
		s, code := status(t)
		if code != command.Failed || s.MayFail != 0 || s.Answered != 3 || s.Replicas[stopped].Reachable || s.Replicas[stopped].Error == "" {
			t.Errorf("with replica %d stopped: exit code %d, %+v", stopped, code, s)
		}
		nodes[stopped] = startNode(t, home(dir, stopped))
		eventually(t, "the replica that was stopped catches up", func() bool {
			s, _ := status(t)
			return allConnected(s) && s.Replicas[stopped].Executed == s.Replicas[1].Executed && s.Healthy
		})
	}
	if out := must(t, "get", "without0/4"); out != "v\n" {
		t.Errorf("what was written without the primary reads %q", out)
	}

	nodes[1].signal(syscall.SIGINT)
	nodes[2].signal(syscall.SIGINT)
	nodes[1].exitCode()
	nodes[2].exitCode()
	if o := tagma(t, "status"); o.code != command.Failed || !strings.Contains(o.stderr, "2 of 4 replicas answer") || lines(o.stderr) != 1 {
		t.Errorf("without a quorum: %v", o)
	}
	if o := tagma(t, "put", "k", "v", "--timeout", "300ms"); o.code != command.Failed || lines(o.stderr) != 1 || o.stdout != "" {
		t.Errorf("without a quorum: %v", o)
	}
}

func keysAreWrittenReadAndDeleted(t *testing.T) {
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"put", "fruit/apple", "red"}, "OK rev 2\n"},
		{[]string{"put", "fruit/banana", "yellow"}, "OK rev 3\n"},
		{[]string{"put", "tool", "--", "-5"}, "OK rev 4\n"},
		{[]string{"get", "fruit/apple"}, "red\n"},
		{[]string{"get", "tool"}, "-5\n"},
		{[]string{"get", "fruit/", "--prefix"}, "fruit/apple\tred\nfruit/banana\tyellow\n"},
		{[]string{"delete", "fruit/apple"}, "OK rev 5 deleted 1\n"},
		{[]string{"delete", "fruit/apple"}, "OK rev 5 deleted 0\n"},
		{[]string{"get", "fruit/", "--prefix"}, "fruit/banana\tyellow\n"},
		{[]string{"get", "nothing/", "--prefix"}, ""},
	} {
		if got := must(t, step.args...); got != step.want {
			t.Errorf("tagma %q prints %q, want %q", step.args, got, step.want)
		}
	}
	if o := tagma(t, "get", "fruit/apple"); o.code != command.Missing || o.stdout != "" || lines(o.stderr) != 1 {
		t.Errorf("a key that does not exist: %v", o)
	}
	var got struct {
		Value       string
		ModRevision int `json:"mod_revision"`
	}
	if err := json.Unmarshal([]byte(must(t, "get", "fruit/banana", "--json")), &got); err != nil || got.Value != "yellow" || got.ModRevision != 3 {
		t.Errorf("get --json: %+v, %v", got, err)
	}
}

// C1: a client that makes one call uses up no session, so later clients are not turned away, however many there are.
func oneShotClientsAreNeverTurnedAway(t *testing.T) {
	const clients, each = 4, 50
	var all sync.WaitGroup
	for c := range clients {
		all.Go(func() {
			for i := range each {
				if o := tagma(t, "put", fmt.Sprintf("loop/%d", c), strconv.Itoa(i)); o.code != command.Done {
					t.Error(o)
				}
			}
		})
	}
	all.Wait()
	if out := must(t, "get", "loop/3"); out != "49\n" {
		t.Errorf("after the loop the key reads %q", out)
	}
}

func lines(s string) int { return strings.Count(s, "\n") }
