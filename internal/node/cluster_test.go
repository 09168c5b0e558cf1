package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/reach"
)

// testbed is a cluster of nodes in this process, with the real transport and real disks.
type testbed struct {
	t     testing.TB
	dir   string
	fresh *cluster.Fresh
	nodes []*running

	hostile bool // a peer that is not a replica uses a replica's key to send messages
}

// running is a node, and what the test needs to stop it.
type running struct {
	*Node
	stop context.CancelFunc
	done chan error
}

// newTestbed makes homes for n replicas on free ports of the loopback.
func newTestbed(t testing.TB, n int, protocol cluster.Protocol) *testbed {
	t.Helper()
	fresh, err := cluster.Init(cluster.InitOptions{Replicas: n, BasePort: 7000, Clients: []string{"test", "other"}, Protocol: protocol})
	if err != nil {
		t.Fatal(err)
	}
	for i, port := range freePorts(t, n) {
		fresh.File.Replicas[i].Addresses = loopback(port)
	}
	b := &testbed{t: t, dir: t.TempDir(), fresh: fresh, nodes: make([]*running, n)}
	if err := fresh.File.Save(filepath.Join(b.dir, "cluster.toml")); err != nil {
		t.Fatal(err)
	}
	for i, key := range fresh.Replicas {
		home := b.home(i)
		if err := errors.Join(os.MkdirAll(home, 0o700), crypto.WriteKey(filepath.Join(home, KeyFile), key), MarkUnborn(home)); err != nil {
			t.Fatal(err)
		}
		settings := DefaultSettings()
		settings.SegmentBytes = 256 << 10
		if err := settings.Save(home); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(b.stopAll)
	return b
}

// nextPort is the next port to use. All ports are below those that the system gives to outgoing connections, so that no
// connection takes the port of a replica that is down. They are also below those that the tests of cmd/tagma and
// testnet/local use. Test processes that run at the same time begin at different ports.
var nextPort atomic.Int32

func init() { nextPort.Store(int32(10_000 + os.Getpid()%40*100)) }

func loopback(port int) []string { return []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)} }

// freePorts returns ports that are not in use.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range 1000 {
		port := int(nextPort.Add(1))
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = l.Close() // it was opened only to see whether the port is free
			if ports = append(ports, port); len(ports) == n {
				return ports
			}
		}
	}
	t.Fatal("no free ports")
	return nil
}

func (b *testbed) home(i int) string { return filepath.Join(b.dir, fmt.Sprintf("replica%d", i)) }

// start runs a replica.
func (b *testbed) start(i int, opts ...Options) {
	b.t.Helper()
	opt := Options{}
	if len(opts) > 0 {
		opt = opts[0]
	}
	n, err := Open(b.home(i), opt)
	if err != nil {
		b.t.Fatalf("replica %d: %v", i, err)
	}
	b.nodes[i] = b.run(n)
}

func (b *testbed) run(n *Node) *running {
	ctx, stop := context.WithCancel(context.Background())
	r := &running{Node: n, stop: stop, done: make(chan error, 1)}
	go func() { r.done <- n.Run(ctx) }()
	return r
}

func (b *testbed) startAll() {
	b.t.Helper()
	for i := range b.nodes {
		b.start(i)
	}
}

// halt stops a replica cleanly. The test fails if the replica refused a message of a correct replica, because a replica
// reads senders of refused messages more slowly.
func (b *testbed) halt(i int) {
	b.t.Helper()
	r := b.nodes[i]
	b.nodes[i] = nil
	for c := range causes {
		if n := r.counts.refusals[0][c].Load(); n > 0 && !b.hostile {
			b.t.Errorf("replica %d refused %d messages of correct replicas: %s", i, n, causes[c])
		}
	}
	r.stop()
	if err := <-r.done; err != nil {
		b.t.Errorf("replica %d stopped: %v", i, err)
	}
}

func (b *testbed) stopAll() {
	for i := range b.nodes {
		if b.nodes[i] != nil {
			b.halt(i)
		}
	}
}

// patience bounds every wait of a test.
const patience = 60 * time.Second

// dial returns a client and a context that ends with the test's patience.
func (b *testbed) dial() (*client.Client, context.Context) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	b.t.Cleanup(cancel)
	c, err := reach.Dial(ctx, b.fresh.File, b.fresh.Clients[0])
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c, ctx
}

// until waits for a condition on the reports of the running replicas.
func (b *testbed) until(what string, holds func([]Report) bool) {
	b.t.Helper()
	deadline := time.After(patience)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		var reports []Report
		for _, n := range b.nodes {
			if n != nil {
				reports = append(reports, n.Report())
			}
		}
		if holds(reports) {
			return
		}
		select {
		case <-deadline:
			for _, r := range reports {
				b.t.Logf("%+v", r)
			}
			b.t.Fatalf("not reached: %s", what)
		case <-poll.C:
		}
	}
}
