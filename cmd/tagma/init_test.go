package main

import (
	"encoding/json"
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
		if err != nil || int(h.Config.Self) != i {
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

func TestInit_TakesBackWhatItMadeWhenItFails(t *testing.T) {
	dir := t.TempDir()
	fresh, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 7000, Clients: []string{clientName}})
	if err != nil {
		t.Fatal(err)
	}
	fresh.File.Machine = "no such machine" // so that the last file cannot be written
	if _, err := writeCluster(dir, fresh); err == nil {
		t.Fatal("an impossible cluster was written")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("it left %v behind, %v", left, err)
	}
}
