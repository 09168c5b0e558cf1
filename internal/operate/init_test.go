package operate

import (
	"os"
	"testing"

	"tagma/internal/cluster"
)

func TestInit_AdminPortsMeetNoOthers(t *testing.T) {
	for _, c := range []struct{ base, replicas int }{{7000, 4}, {7000, 130}, {65532, 4}, {65400, 100}, {1, 7}} {
		taken := map[int]bool{}
		for i := range c.replicas {
			taken[c.base+i] = true
		}
		for i := range c.replicas {
			port := adminPort(c.base, i, c.replicas)
			if taken[port] || port < 1 || port > 65535 {
				t.Errorf("base port %d, %d replicas: admin port %d of replica %d", c.base, c.replicas, port, i)
			}
			taken[port] = true
		}
	}
}

func TestInit_TakesBackWhatItMadeWhenItFails(t *testing.T) {
	dir := t.TempDir()
	fresh, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 7000, Clients: []string{clientName}})
	if err != nil {
		t.Fatal(err)
	}
	fresh.File.Machine = "no such machine" // so that the last file cannot be written
	if _, err := WriteCluster(dir, fresh, 7000); err == nil {
		t.Fatal("an impossible cluster was written")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
}
