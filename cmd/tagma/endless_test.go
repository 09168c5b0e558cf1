package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/operate"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// withEndless is an environment variable. It gives a process a machine in which every operation on the key "endless"
// never ends. With the value "loop" the operation uses a processor, with "deep" it overflows the stack, and with any
// other value it waits.
const withEndless = "TAGMA_TEST_ENDLESS"

type endless struct {
	kv.Machine
	how string
}

func (e endless) Apply(tx statemachine.Txn, op []byte) []byte {
	if bytes.Contains(op, []byte("endless")) {
		for e.how == "loop" {
			continue
		}
		if e.how == "deep" {
			debug.SetMaxStack(1 << 20) // for the whole process, so that the stack overflows soon
			deep(nil, true)
		}
		select {}
	}
	return e.Machine.Apply(tx, op)
}

// deep uses up the stack as long as the variable says so.
func deep(below []byte, on bool) int {
	if !on {
		return len(below)
	}
	return deep(append(below, 1), on) + 1
}

// The drill of docs/operations.md: an operation never ends. The command status names its request, and SIGTERM ends
// the processes in bounded time. When all replicas refuse the request, the cluster serves again and has everything
// that was acknowledged.
func TestCluster_GetsOutOfAnEndlessOperation(t *testing.T) {
	dir := makeCluster(t)
	start := func() (nodes [4]*process) {
		for i := range nodes {
			nodes[i] = startNode(t, home(dir, i), func(p *process) {
				how := "wait"
				if i == 0 {
					how = "loop"
				}
				p.cmd.Env = append(p.cmd.Env, withEndless+"="+how)
			})
		}
		eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
		return nodes
	}
	nodes := start()
	must(t, "put", "before", "kept")
	if o := tagma(t, "put", "endless", "x", "--timeout", "1s"); o.code != command.Failed || !strings.Contains(o.stderr, "outcome unknown") {
		t.Fatal(o)
	}
	var request string
	eventually(t, "every replica names the request", func() bool {
		s, _ := status(t)
		for i, r := range s.Replicas {
			if r.Executing == nil || r.Executing.Request == "" || !strings.HasSuffix(r.Health, "request "+r.Executing.Request) {
				return false
			}
			if r.View != 0 { // T4: the request is ordered already, so another primary would not have it executed sooner
				t.Fatalf("replica %d is in view %d", i, r.View)
			}
			request = r.Executing.Request
		}
		return true
	})
	if o := tagma(t, "status"); o.code != command.Failed || !strings.Contains(o.stderr, request) {
		t.Error(o)
	}

	began := time.Now()
	for _, n := range nodes {
		n.signal(syscall.SIGTERM)
	}
	eventually(t, "it says that a second signal ends it", func() bool { return strings.Contains(nodes[3].log(), "a second signal") })
	nodes[3].signal(syscall.SIGTERM)
	if nodes[3].exitCode(); time.Since(began) > 8*time.Second || !nodes[3].cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("after a second signal: %v, %v", time.Since(began), nodes[3].cmd.ProcessState)
	}
	for i, n := range nodes[:3] {
		code, log := n.exitCode(), n.log()
		last := log[strings.LastIndex(strings.TrimSpace(log), "\n")+1:]
		if code != command.Failed || !strings.HasPrefix(last, "tagma: replica ") || !strings.Contains(last, "did not end") || !strings.Contains(last, request) {
			t.Errorf("replica %d ends with %d and says %q", i, code, last)
		}
	}

	if out := must(t, "journal", home(dir, 1), "--json"); !strings.Contains(out, `"request": "`+request) {
		t.Errorf("the journal does not name the request: %s", out)
	}
	refuseRequest(t, dir, request)
	start()
	script(t, [][2]string{
		{"get before", "kept\n"},
		{"put after too", "OK rev 3\n"},
		{"get end --prefix", ""},
	})
	if s, code := status(t); code != command.Done || !s.Healthy {
		t.Errorf("status ends with %d: %q", code, s.Problem)
	}
}

// refuseRequest puts a request on the list of those that a cluster refuses.
func refuseRequest(t *testing.T, dir, request string) {
	t.Helper()
	path := filepath.Join(dir, operate.ClusterFile)
	file, err := cluster.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var digest cluster.Key
	if err := digest.UnmarshalText([]byte(request)); err != nil {
		t.Fatal(err)
	}
	file.Refused = append(file.Refused, digest)
	if err := file.Save(path); err != nil {
		t.Fatal(err)
	}
}

func hasEnded(nodes []*process) (n int) {
	for _, p := range nodes {
		if p.hasEnded() {
			n++
		}
	}
	return n
}

// The other case of the drill: an operation ends every process, and does so again at each start. The log has the
// stack, and the journal names the request in the batch after the last executed one. When the replicas refuse that
// request, the cluster serves again.
func TestCluster_GetsOutOfAStackOverflow(t *testing.T) {
	dir := makeCluster(t)
	deeply := func(p *process) { p.cmd.Env = append(p.cmd.Env, withEndless+"=deep") }
	var nodes [4]*process
	for i := range nodes {
		nodes[i] = startNode(t, home(dir, i), deeply)
	}
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
	must(t, "put", "before", "kept")
	s, _ := status(t)
	behind := uint64(0) // the highest, because some replicas may not have executed the answered requests yet
	for _, r := range s.Replicas {
		behind = max(behind, r.Executed)
	}
	if o := tagma(t, "put", "endless", "x", "--timeout", "1s"); o.code != command.Failed || !strings.Contains(o.stderr, "outcome unknown") {
		t.Fatal(o)
	}
	ended := func(n *process) {
		t.Helper()
		if code := n.exitCode(); code != 2 || !strings.Contains(n.log(), "stack overflow") || !strings.Contains(n.log(), "endless.Apply") {
			t.Errorf("it ends with %d and says %.2000s", code, n.log())
		}
	}
	// Replicas that do not know that the request is ordered keep running. They are too few to order it themselves.
	eventually(t, "half of the replicas end", func() bool { return hasEnded(nodes[:]) >= 2 })
	first := -1
	stop := func() {
		for i, n := range nodes {
			if n.hasEnded() {
				ended(n)
				first = i
			} else {
				n.signal(syscall.SIGKILL)
				n.exitCode()
			}
		}
	}
	stop()
	for i := range nodes {
		nodes[i] = startSaying(t, home(dir, i), "", deeply)
	}
	eventually(t, "half of them end again", func() bool { return hasEnded(nodes[:]) >= 2 })
	stop()

	var j struct {
		Records []struct {
			Seq      uint64
			Requests []struct{ Request string }
		}
	}
	if err := json.Unmarshal([]byte(must(t, "journal", home(dir, first), "--json")), &j); err != nil {
		t.Fatal(err)
	}
	request := ""
	for _, r := range j.Records {
		if r.Seq == behind+1 && len(r.Requests) == 1 {
			request = r.Requests[0].Request
		}
	}
	refuseRequest(t, dir, request)
	for i := range nodes {
		startNode(t, home(dir, i), deeply)
	}
	script(t, [][2]string{
		{"get before", "kept\n"},
		{"put after too", "OK rev 3\n"},
	})
}
