package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/node"
)

func TestInit_MakesHomesThatBelongTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "demo")
	var made madeCluster
	out := must(t, "init", "--dir", dir, "--replicas", "7", "--base-port", "9000", "--json")
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	if len(made.Replicas) != 7 || made.Faults != 2 || made.Replicas[6].Addresses[0] != "/ip4/127.0.0.1/tcp/9006" {
		t.Errorf("%+v", made)
	}
	for i, r := range made.Replicas {
		h, err := node.ReadHome(r.Home)
		if err != nil || int(h.Config.Self) != i || h.Settings.Admin != fmt.Sprintf("127.0.0.1:910%d", i) {
			t.Errorf("%s: replica %v, %v", r.Home, h, err)
		}
	}
	key, err := crypto.ReadKey(made.ClientKey)
	if err != nil {
		t.Fatal(err)
	}
	file, err := cluster.Load(made.ClusterFile)
	if err != nil {
		t.Fatal(err)
	}
	if name, found := file.ClientName(key.Public()); !found || name != "client" || file.ID.String() != made.ClusterID {
		t.Errorf("the client's key is registered as %q (%v)", name, found)
	}
}

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
	if _, err := writeCluster(dir, fresh, 7000); err == nil {
		t.Fatal("an impossible cluster was written")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
}
