package inspect

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/cluster"
	"tagma/internal/node"
	"tagma/pbft/wire"
)

func newCluster(t *testing.T) (*cluster.Fresh, wire.Config, *Check) {
	t.Helper()
	made, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"operator"}})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := made.File.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	check, err := CheckWith(made.File)
	if err != nil {
		t.Fatal(err)
	}
	return made, cfg, check
}

// listed is evidence for people.
func listed(t *testing.T, path string, check *Check) (*Evidence, string) {
	t.Helper()
	e, err := ReadEvidence(path, check)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := e.Print(&out); err != nil {
		t.Fatal(err)
	}
	return e, out.String()
}

func TestE1_EvidenceIsCheckedWithTheClustersKeysAlone(t *testing.T) {
	made, cfg, check := newCluster(t)
	e := wire.Evidence{Replica: 2, Kind: wire.Equivocation}
	for i, m := range []*wire.Message{&e.First, &e.Second} {
		*m = &wire.Prepare{View: 1, Seq: 7, Digest: wire.Digest{byte(i + 1)}, Replica: 2}
		wire.Sign(&cfg, *m, func(b []byte) wire.Signature { return made.Replicas[2].Sign(b) })
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "replica2-equivocation-prepare-1")
	keep := func(proof []byte) {
		if err := os.WriteFile(path, proof, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keep(e.Encode())
	if _, out := listed(t, dir, nil); !strings.Contains(out, "prepare view 1 seq 7: digests 010000000000 and 020000000000") ||
		!strings.Contains(out, "not checked") {
		t.Errorf("the list: %s", out)
	}
	found, out := listed(t, dir, check)
	if p := found.Found[0]; !p.Verified || p.Replica != 2 || p.Kind != "equivocation" || found.Err() != nil || !strings.Contains(out, "yes") {
		t.Errorf("verified: %+v, %v\n%s", p, found.Err(), out)
	}
	if s := ReadSingle(path, check); s == nil || s.Err() != nil {
		t.Errorf("the file alone: %+v", s)
	}
	_, _, other := newCluster(t)
	if found, _ := listed(t, dir, other); found.Err() == nil || found.Found[0].Verified {
		t.Errorf("with another cluster's keys: %+v", found)
	}
	if s := ReadSingle(path, other); s == nil || s.Err() == nil {
		t.Errorf("the file alone, with another cluster's keys: %+v", s)
	}
	forged := e.Encode()
	forged[len(forged)-1] ^= 1 // the second signature's
	keep(forged)
	if found, _ := listed(t, dir, check); found.Err() == nil || !strings.Contains(found.Err().Error(), "1 of 1 files") {
		t.Errorf("with a forged signature: %v", found.Err())
	}
	keep([]byte("notes"))
	if s := ReadSingle(path, check); s != nil {
		t.Errorf("what is no evidence: %+v", s)
	}
}

// K2: evidence that a replica's own state was wrong is listed with the other evidence. The cluster's keys are enough
// to check it.
func TestK2_AWrongStateIsListedAndChecked(t *testing.T) {
	made, cfg, check := newCluster(t)
	seq := 2 * cfg.CheckpointInterval
	cert := wire.StableCert{Seq: seq, Digest: wire.Digest{7}}
	for id := range wire.ReplicaID(3) {
		m := &wire.Checkpoint{Seq: seq, Digest: cert.Digest, Replica: id}
		wire.Sign(&cfg, m, func(b []byte) wire.Signature { return made.Replicas[id].Sign(b) })
		cert.Checkpoints = append(cert.Checkpoints, wire.Endorsement{Replica: id, Sig: m.Sig})
	}
	d := node.Divergence{
		Replica: 3, Checkpoint: uint64(seq), Own: fmt.Sprintf("%064x", 5), Stable: fmt.Sprintf("%x", cert.Digest[:]),
		Certificate: cert.Proof(), RepairedAt: uint64(seq), Differing: 2, Keys: [][]byte{[]byte("a\x00key")},
	}
	home := t.TempDir()
	path := filepath.Join(home, node.DivergedDir, fmt.Sprintf("%d.json", seq))
	keep := func() {
		text, err := json.Marshal(&d)
		err = errors.Join(err, os.MkdirAll(filepath.Join(home, node.EvidenceDir), 0o700), os.MkdirAll(filepath.Dir(path), 0o700))
		if err = errors.Join(err, os.WriteFile(path, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	keep()
	if s := ReadSingle(path, check); s == nil || s.Err() != nil || s.Proof.Replica != 3 || s.Proof.Kind != Diverged {
		t.Errorf("the file alone: %+v", s)
	}
	_, out := listed(t, home, check)
	if !strings.Contains(out, fmt.Sprintf("own state after %d: 000000000000 and not 070000000000", seq)) ||
		!strings.Contains(out, `2 keys differed: "a\x00key"`) || !strings.Contains(out, "yes") || !strings.HasPrefix(strings.Split(out, "\n")[1], "3 ") {
		t.Errorf("the list: %s", out)
	}
	d.Checkpoint++
	keep()
	if found, _ := listed(t, home, check); found.Err() == nil || !strings.Contains(found.Err().Error(), "1 of 1 files") {
		t.Errorf("with a certificate of another state: %v", found.Err())
	}
}
