package inspect

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tagma/internal/cluster"
	"tagma/internal/terminal"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
)

// TX5: the outcome of a transaction over several clusters is verified with the cluster file alone, and no byte of it can
// be changed. Files of other kinds are left to others.
func TestTX5_AnOutcomeIsVerifiedWithTheClusterFileAlone(t *testing.T) {
	fresh, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 7000})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := fresh.File.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(statement []byte, by ...int) []byte {
		c := &attest.Certificate{Cluster: cfg.Cluster, Epoch: cfg.Epoch, Statement: statement}
		for _, i := range by {
			c.Signatures = append(c.Signatures, attest.Signature{
				Replica: i, Sig: fresh.Replicas[i].Sign(attest.Bytes(cfg.Cluster, cfg.Epoch, i, statement)),
			})
		}
		return c.Encode()
	}
	path := filepath.Join(t.TempDir(), "outcome")
	read := func(content []byte) (*Document, error) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadDocument(path, fresh.File)
	}
	outcome := sign(commit.Statement(kv.MachineName, commit.TID{1, 2}, commit.StateCommitted), 0, 3)
	d, err := read(outcome)
	if err != nil || d.Kind != "attestation" || d.Outcome != "committed" || !strings.HasPrefix(d.Transaction, "0102") || !slices.Equal(d.Signers, []int{0, 3}) {
		t.Fatalf("%+v, %v", d, err)
	}
	var out strings.Builder
	if err := d.Print(&out); err != nil || !strings.Contains(out.String(), "committed 0102") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%q, %v", out.String(), err)
	}
	for i := range outcome {
		changed := slices.Clone(outcome)
		changed[i] ^= 1
		d, err := read(changed)
		if d != nil || err == nil && i >= len(attest.Magic) {
			t.Fatalf("it holds with byte %d changed: %+v, %v", i, d, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("byte %d: more than one line: %v", i, err)
		}
	}
	for name, content := range map[string][]byte{
		"f signatures":           sign(commit.Statement(kv.MachineName, commit.TID{1}, commit.StateCommitted), 2),
		"another machine's":      sign(attest.Machine("bank", []byte("x")), 0, 1),
		"an unknown kind":        sign([]byte{77}, 0, 1),
		"a broken reply":         sign([]byte{byte(attest.KindReply), 1}, 0, 1),
		"nothing but its magic":  []byte(attest.Magic),
		"a receipt that is none": []byte("tagmarct\x01"),
		"a read that is none":    []byte("tagmaprf\x01"),
	} {
		if d, err := read(content); d != nil || err == nil {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	if d, err := read([]byte("something else")); d != nil || err != nil {
		t.Errorf("another kind of file: %+v, %v", d, err)
	}
	if d, err := ReadDocument(filepath.Join(t.TempDir(), "none"), fresh.File); d != nil || err != nil {
		t.Errorf("a file that is not there: %+v, %v", d, err)
	}
	if said, err := read(sign(attest.Machine(kv.MachineName, []byte{1}), 0, 1, 2)); err != nil || said.Said == "" ||
		!strings.Contains(said.words, terminal.Count(1, "byte")) {
		t.Errorf("%+v, %v", said, err)
	}
}
