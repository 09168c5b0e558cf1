package tagmatest

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"tagma/client"
	"tagma/internal/node"
	"tagma/statemachine"
)

// within is a generous bound on the time of a test with processes on a busy computer.
const within = time.Minute

// count makes a client add one, and returns the counter.
func count(t *testing.T, c *client.Client) uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	r, err := c.Do(ctx, []byte("add"))
	if err != nil || len(r.Output()) != 8 {
		t.Fatalf("add: %q, %v", r.Output(), err)
	}
	return binary.BigEndian.Uint64(r.Output())
}

// The counter works while single replicas are killed, disconnected, or made malicious, one after the other. It also
// works after all replicas were killed at once.
func TestStart_TheApplicationServesThroughFaults(t *testing.T) {
	c := Start(t, fixed(func(statemachine.Txn, []byte) {}))
	conn := c.Client()
	want := uint64(0)
	step := func(what string) {
		t.Helper()
		for range 3 {
			want++
			if got := count(t, conn); got != want {
				t.Fatalf("%s: the counter is %d, want %d", what, got, want)
			}
		}
	}
	step("at first")
	c.Crash(0)
	step("without replica 0, which was the primary")
	c.Restart(0)
	c.Partition(3)
	step("with replica 3 cut off")
	c.Partition(2, 3)
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	if r, err := conn.Do(short, nil, client.ReadOnly()); err == nil {
		t.Fatalf("two halves of a cluster answered %q", r.Output())
	}
	cancel()
	c.Heal()
	c.Crash(0, 1, 2, 3)
	c.Restart(0, 1, 2, 3)
	step("after a power cut")
	c.Malicious(2, "lying-reply")
	step("with a replica that lies")
}

func TestStart_OfASubtestRunsItsOwnMachine(t *testing.T) {
	t.Run("a counter by (two)", func(t *testing.T) {
		conn := Start(t, fixed(func(tx statemachine.Txn, _ []byte) { put(tx, "n", 40+2) })).Client()
		if got := count(t, conn); got != 42 {
			t.Errorf("%d: another machine runs", got)
		}
	})
}

func TestStart_AStateOnWhichReplicasDoNotAgreeIsNamed(t *testing.T) {
	at := func(id int, stable uint64, state string) node.Report {
		return node.Report{Replica: id, StableCheckpoint: stable, StateDigest: state}
	}
	split := at(2, 8, "a")
	split.Split = 16
	for want, reports := range map[string]map[int]node.Report{
		"":                                   {0: at(0, 8, "a"), 1: at(1, 8, "a"), 2: at(2, 16, "b"), 3: at(3, 8, "a lie")},
		"do not agree on the state after 16": {0: at(0, 8, "a"), 2: split},
		"replicas 0 and 1 have different":    {0: at(0, 8, "a"), 1: at(1, 8, "b")},
	} {
		c := &Cluster{lies: map[int]bool{3: true}}
		if got := c.disagreement(reports); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
