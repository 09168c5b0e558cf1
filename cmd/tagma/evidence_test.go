package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/operate"
	"tagma/pbft/wire"
)

// convict writes evidence that replica 2 of the cluster in dir signed two prepares for one sequence number. It
// returns the file.
func convict(t *testing.T, dir string) string {
	t.Helper()
	file, err := cluster.Load(filepath.Join(dir, operate.ClusterFile))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := file.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypto.ReadKey(filepath.Join(home(dir, 2), node.KeyFile))
	if err != nil {
		t.Fatal(err)
	}
	e := wire.Evidence{Replica: 2, Kind: wire.Equivocation}
	for i, m := range []*wire.Message{&e.First, &e.Second} {
		*m = &wire.Prepare{View: 1, Seq: 7, Digest: wire.Digest{byte(i + 1)}, Replica: 2}
		wire.Sign(&cfg, *m, func(b []byte) wire.Signature { return key.Sign(b) })
	}
	path := filepath.Join(home(dir, 0), node.EvidenceDir, "replica2-equivocation-prepare-1")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, e.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestE1_EvidenceIsCheckedWithTheClustersKeysAlone(t *testing.T) {
	dir := makeCluster(t)
	if out := must(t, "evidence", home(dir, 0)); !strings.Contains(out, "no evidence") {
		t.Errorf("a new replica has evidence: %s", out)
	}
	path := convict(t, dir)
	if out := must(t, "evidence", home(dir, 0)); !strings.Contains(out, "prepare view 1 seq 7") || !strings.Contains(out, "not checked") {
		t.Errorf("the list: %s", out)
	}
	var d struct {
		Evidence []struct {
			Replica  int
			Kind     string
			Verified bool
		}
	}
	if err := json.Unmarshal([]byte(must(t, "evidence", home(dir, 0), "--verify", "--json")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Evidence) != 1 || d.Evidence[0].Replica != 2 || d.Evidence[0].Kind != "equivocation" || !d.Evidence[0].Verified {
		t.Errorf("verified: %+v", d)
	}

	file := filepath.Join(dir, operate.ClusterFile)
	if out := must(t, "evidence", filepath.Dir(path), "--verify", "--cluster", file); !strings.Contains(out, "yes") {
		t.Errorf("of the directory itself: %s", out)
	}

	other := makeCluster(t)
	o := tagma(t, "evidence", home(dir, 0), "--verify", "--cluster", filepath.Join(other, operate.ClusterFile))
	if o.code != command.Failed || lines(o.stderr) != 1 {
		t.Errorf("with another cluster's keys: %v", o)
	}
	if out := must(t, "verify", path, "--cluster", file); !strings.Contains(out, "holds: proof against replica 2, equivocation: prepare view 1 seq 7") {
		t.Errorf("verify says %q", out)
	}
	o = tagma(t, "verify", path, "--cluster", filepath.Join(other, operate.ClusterFile))
	if o.code != command.Failed || o.stdout != "" || lines(o.stderr) != 1 {
		t.Errorf("verify with another cluster's keys: %v", o)
	}
	proof, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	proof[len(proof)-1] ^= 1 // the second signature's
	if err := os.WriteFile(path, proof, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := tagma(t, "evidence", home(dir, 0), "--verify"); o.code != command.Failed || !strings.Contains(o.stderr, "1 of 1 files") {
		t.Errorf("with a forged signature: %v", o)
	}
}
