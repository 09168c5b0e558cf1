package tagmatest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tagma/client"
	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/testnet/byzantine"
	"tagma/testnet/links"
	"tagma/testnet/local"
)

// Replicas is how many replicas a cluster of Start has. They mask one faulty replica.
const Replicas = 4

// MachineName is the application's name in the cluster file of Start. If the application is the key-value machine,
// kv.NewClientOf(client, tagmatest.MachineName) returns its typed client.
const MachineName = "application"

// These variables tell a process that it is a replica: the home that it serves, and the test whose machine it runs.
const (
	homeVariable = "TAGMATEST_HOME"
	testVariable = "TAGMATEST_TEST"
)

// Cluster is a cluster of real processes on this computer, which talk over the loopback and keep their state on disk.
// Its replicas are numbered from 0. A method that cannot do what it should ends the test.
type Cluster struct {
	t     *testing.T
	local *local.Cluster
	file  string
	lies  map[int]bool
}

// Start runs a cluster of four replicas of the application and returns when they serve. The cluster ends with the test.
// The test fails if the replicas do not agree on a state, or if a process ended by itself.
//
// Each replica is a process of its own: the test binary again, which runs this test up to the call of Start. So a test
// must call Start at most once. What the test does before that call happens in five processes. Subtests may have a
// cluster each, if the test around them has none.
func Start(t *testing.T, newMachine func() statemachine.Machine) *Cluster {
	t.Helper()
	if home := os.Getenv(homeVariable); home != "" {
		serve(t.Name(), home, newMachine)
	}
	dir := t.TempDir()
	l, err := local.Create(local.Options{
		Dir: dir, Replicas: Replicas, Machine: MachineName, Clients: Clients - 1,
		Protocol: cluster.Protocol{FirstVersion: statemachine.FirstVersion(newMachine())}, Command: func(home string) (args, env []string) {
			return []string{"-test.run=" + exactly(t.Name()), "-test.timeout=0", "-test.count=1"},
				[]string{homeVariable + "=" + home, testVariable + "=" + t.Name()}
		},
	})
	if err != nil {
		t.Fatalf("make a cluster: %v", err)
	}
	c := &Cluster{t: t, local: l, file: l.ClusterFile(), lies: make(map[int]bool)}
	t.Cleanup(c.end)
	c.Restart(all()...)
	return c
}

// all are the numbers of the replicas.
func all() []int { return []int{0, 1, 2, 3} }

// exactly is the value of -test.run that matches one test or subtest.
func exactly(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// serve makes this process a replica; it does not return.
func serve(test, home string, newMachine func() statemachine.Machine) {
	err := fmt.Errorf("Start is called by %s before %s, which is to run this replica: a test with subtests that have clusters has none",
		test, os.Getenv(testVariable))
	if test == os.Getenv(testVariable) {
		err = local.Serve(home, machines.Set{{Name: MachineName, New: func(machines.History) statemachine.Machine { return newMachine() }}})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// ClusterFile is the path of the cluster file, for [client.Dial].
func (c *Cluster) ClusterFile() string { return c.file }

// Clients is how many clients a cluster of Start has registered.
const Clients = 3

// ClientKey is the path of the key of a registered client, numbered from 0.
func (c *Cluster) ClientKey(i int) string {
	c.t.Helper()
	if i < 0 || i >= Clients {
		c.t.Fatalf("there is no client %d; there are 0 to %d", i, Clients-1)
	}
	return c.local.ClientKey(i)
}

// Client connects the first registered client. It is closed when the test ends.
func (c *Cluster) Client(opts ...client.Option) *client.Client {
	c.t.Helper()
	return c.ClientAs(0, opts...)
}

// ClientAs connects a registered client, numbered from 0, so that the application sees another caller. The client is
// closed when the test ends.
func (c *Cluster) ClientAs(i int, opts ...client.Option) *client.Client {
	c.t.Helper()
	conn, err := client.Dial(c.t.Context(), c.file, c.ClientKey(i), opts...)
	if err != nil {
		c.t.Fatalf("connect a client: %v", err)
	}
	c.t.Cleanup(func() { _ = conn.Close() }) // fails if the replicas are gone, which does not matter
	return conn
}

// Crash kills replicas with SIGKILL, whatever they are doing, and returns when they are gone.
func (c *Cluster) Crash(replicas ...int) {
	c.t.Helper()
	c.known(replicas)
	c.local.Kill(replicas...)
}

// Restart starts replicas that are not running, with the disks that they left, and returns when they serve again and have
// caught up. The running ones must suffice to help them: if more than one replica is down, restart all of them in one call.
func (c *Cluster) Restart(replicas ...int) {
	c.t.Helper()
	c.known(replicas)
	if err := c.local.Start(replicas...); err != nil {
		c.t.Fatalf("restart: %v", err)
	}
	honest := slices.DeleteFunc(slices.Clone(replicas), func(id int) bool { return c.lies[id] })
	if len(honest) == 0 { // a report of an attacker means nothing, so there is nothing to wait for
		return
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), local.Patience)
	defer cancel()
	if err := c.local.WaitReady(ctx, honest...); err != nil {
		c.t.Fatalf("restart: %v", err)
	}
}

// Partition disconnects replicas from all others; clients still reach every replica. It replaces an earlier partition,
// and lasts until Heal.
func (c *Cluster) Partition(replicas ...int) {
	c.t.Helper()
	c.known(replicas)
	var group []wire.ReplicaID
	for _, id := range replicas {
		group = append(group, wire.ReplicaID(id))
	}
	c.order(links.Command{Do: links.DoPartition, Groups: [][]wire.ReplicaID{group}})
}

// Heal ends a partition.
func (c *Cluster) Heal() {
	c.t.Helper()
	c.order(links.Command{Do: links.DoHeal})
}

func (c *Cluster) order(command links.Command) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), local.Patience)
	defer cancel()
	if err := c.local.Order(ctx, command); err != nil {
		c.t.Fatalf("change the links: %v", err)
	}
}

// Malicious restarts a replica as an attacker with the replica's key, until the end of the test. The behaviour is one
// that `tagma-testnet behaviours` lists, such as "equivocate" or "lying-reply". A replica can have several.
func (c *Cluster) Malicious(replica int, behaviour string) {
	c.t.Helper()
	c.known([]int{replica})
	choice, err := byzantine.ParseChoice(behaviour)
	if err != nil {
		c.t.Fatalf("make replica %d malicious: %v", replica, err)
	}
	c.local.Kill(replica)
	if err := c.local.Corrupt(context.Background(), replica, choice); err != nil {
		c.t.Fatal(err)
	}
	c.lies[replica] = true
	c.Restart(replica)
}

// known ends the test if there are no such replicas.
func (c *Cluster) known(replicas []int) {
	c.t.Helper()
	if len(replicas) == 0 {
		c.t.Fatal("no replica was named")
	}
	for _, id := range replicas {
		if id < 0 || id >= Replicas {
			c.t.Fatalf("there is no replica %d; there are 0 to %d", id, Replicas-1)
		}
	}
}

// end makes the final checks of the cluster and closes it.
func (c *Cluster) end() {
	ctx, cancel := context.WithTimeout(context.Background(), local.Patience)
	defer cancel()
	if why := c.disagreement(c.local.Ask(ctx, c.local.Running())); why != "" {
		c.t.Error(why)
	}
	c.local.Close()
	for {
		select {
		case death := <-c.local.Deaths():
			c.t.Error(death)
			continue
		default:
		}
		break
	}
	if c.t.Failed() {
		for _, id := range all() {
			c.t.Logf("the log of replica %d ends with:\n%s", id, logEnd(filepath.Join(c.local.Home(id), local.LogFile)))
		}
	}
}

// disagreement describes two honest replicas that report different states at the same checkpoint; "" if there are none.
func (c *Cluster) disagreement(reports map[int]node.Report) string {
	states := make(map[uint64]node.Report)
	for _, id := range all() {
		r, answered := reports[id]
		if !answered || c.lies[id] {
			continue
		}
		first, known := states[r.StableCheckpoint]
		switch {
		case r.Split > 0:
			return fmt.Sprintf("the replicas do not agree on the state after %d: is the machine deterministic?", r.Split)
		case known && first.StateDigest != r.StateDigest:
			return fmt.Sprintf("replicas %d and %d have different states after %d", first.Replica, id, r.StableCheckpoint)
		}
		states[r.StableCheckpoint] = r
	}
	return ""
}

// logEnd returns the end of a replica's log.
func logEnd(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}
