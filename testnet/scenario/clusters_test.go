package scenario

import (
	"fmt"
	"testing"
	"time"

	"tagma/pbft/wire"
)

const eastAndWest = `name = "two banks"
seed = 9

[transactions]
count = 50
die = 0.5

[[cluster]]
name = "east"
machine = "bank"
settings = { view_timeout = "400ms" }

[[cluster.malicious]]
replica = 3
behaviour = "equivocate"

[[cluster]]
name = "west"
replicas = 7
settings = { view_timeout = "1s" }
workload = { kind = "mixed", operations = 100 }

[[event]]
at = "2T"
do = "kill"
targets = ["east/0", "west/1", "west/2"]
for = "1s"

[[event]]
at = "5s"
do = "partition"
groups = [["west/0"], ["west/1", "west/2"]]
for = "1s"

[[event]]
when = "replica east/1 executed 5"
do = "clock-jump"
targets = ["east/2"]
by = "10m"

[[event]]
at = "9s"
do = "stop-clients"

[[rule]]
match = { type = "commit", from = ["west/3"], to = ["west/4"] }
action = "drop"
until = "6s"

[expect]
committed = 20
`

func TestClusters_EachTableGoesToTheClusterThatItNames(t *testing.T) {
	s, err := Parse("x.toml", []byte(eastAndWest))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Clusters) != 2 || s.Transactions.Count != 50 || s.Transactions.Die != 0.5 || *s.Across.Committed != 20 {
		t.Fatalf("%+v", s)
	}
	east, west := s.Clusters[0], s.Clusters[1]
	if east.Name != "east" || east.Machine != "bank" || west.Replicas != 7 || west.Workload.Operations != 100 || east.Seed == west.Seed {
		t.Errorf("%+v\n%+v", east, west)
	}
	if fmt.Sprint(east.Faulty(), west.Faulty()) != "[3] []" {
		t.Errorf("%v, %v are faulty", east.Faulty(), west.Faulty())
	}
	told := func(c *Scenario) (all []string) {
		for _, e := range c.Events {
			all = append(all, fmt.Sprintf("%v %s", e.At, e.What()))
		}
		return all
	}
	if got := fmt.Sprint(told(east)); got != "[800ms kill replica0 1.8s restart replica0 0s clock-jump by 10m0s of replica2 9s stop-clients]" {
		t.Error(got)
	}
	if got := fmt.Sprint(told(west)); got != "[2s kill replica1 replica2 3s restart replica1 replica2 5s partition [[0] [1 2]] 6s end of the partition 9s stop-clients]" {
		t.Error(got)
	}
	if len(west.Rules) != 1 || west.Rules[0].Match.From[0] != 3 || len(east.Rules) != 0 || west.Rules[0].Until != 6*time.Second {
		t.Errorf("%+v, %+v", east.Rules, west.Rules)
	}
	if len(east.Facts()) != 1 || east.Facts()[0].String() != "replica 1 executed 5" {
		t.Errorf("%v", east.Facts())
	}
	if s.Reseed(77); east.Seed != SeedOf(77, 0) || west.Seed != SeedOf(77, 1) || s.Seed != 77 {
		t.Errorf("seeds %d, %d, %d", s.Seed, east.Seed, west.Seed)
	}
	if e := east.Events[0]; e.Targets[0] != wire.ReplicaID(0) || e.Line != 23 {
		t.Errorf("%+v", e)
	}
}
