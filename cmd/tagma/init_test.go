package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/node"
	"tagma/internal/operate"
)

func TestInit_MakesHomesThatBelongTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "demo")
	var made operate.Made
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

// A number of replicas that masks no more faults than a smaller number is allowed. The output then says so.
func TestInit_SaysWhatSoManyReplicasMask(t *testing.T) {
	for replicas, want := range map[string]string{
		"4": "4 replicas, which masks 1 faulty, in", "5": "5 replicas, which masks 1 faulty as 4 would (7 mask 2), in",
		"9": "9 replicas, which masks 2 faulty as 7 would (10 mask 3), in",
	} {
		if out := must(t, "init", "--dir", filepath.Join(t.TempDir(), "x"), "--replicas", replicas); !strings.Contains(out, want) {
			t.Errorf("%s replicas: %s", replicas, out)
		}
	}
}
