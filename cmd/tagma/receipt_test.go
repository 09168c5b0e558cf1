package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/inspect"
	"tagma/internal/operate"
)

// C4, K1: a receipt and a proven read are got from a running cluster, and verified with the cluster file alone, when no
// replica runs and no other file is there.
func TestC4_ReceiptsAndProofsAreVerifiedOffline(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	runCluster(t, "kv", func(f *cluster.File) { f.Protocol.CheckpointInterval, f.Protocol.LogWindow = 10, 40 })
	if out := must(t, "put", "greeting", "hello", "--receipt", at("put.receipt")); out != "OK rev 1\n" && out != "OK rev 2\n" {
		t.Errorf("put prints %q", out)
	}
	var put struct {
		Request string `json:"request"`
		Seq     uint64 `json:"seq"`
	}
	if err := json.Unmarshal([]byte(must(t, "put", "later", "x", "--json")), &put); err != nil || put.Request == "" {
		t.Fatalf("%+v, %v", put, err)
	}
	if out := must(t, "receipt", put.Request, "--out", at("later.receipt"), "--quorum"); !strings.Contains(out, "request "+put.Request) {
		t.Errorf("receipt prints %q", out)
	}
	badInput{[]string{"receipt", put.Request, "--out", at("later.receipt")}, command.Unusable, "nothing is overwritten"}.check(t)
	badInput{[]string{"receipt", "17", "--out", at("none")}, command.Unusable, "names no request"}.check(t)
	badInput{[]string{"receipt", put.Request}, command.Unusable, "--out FILE"}.check(t)
	badInput{[]string{"receipt", "17.1", "--out", at("none"), "--timeout", "4s"}, command.Failed, "no such request of this key"}.check(t)
	badInput{[]string{"get", "k", "--since", "3"}, command.Unusable, "--proof FILE"}.check(t)
	badInput{[]string{"put", "k", "v", "--receipt", at("put.receipt")}, command.Unusable, "nothing is overwritten"}.check(t)
	for i := range 25 {
		must(t, "put", "filler", strconv.Itoa(i))
	}
	if out := must(t, "get", "greeting", "--proof", at("greeting.proof"), "--since", "1"); out != "hello\n" {
		t.Errorf("get prints %q", out)
	}
	badInput{[]string{"get", "nothing", "--proof", at("nothing.proof")}, command.Missing, "which " + at("nothing.proof") + " proves"}.check(t)

	// Only the cluster file goes to the third party.
	text, err := os.ReadFile(os.Getenv(operate.ClusterVariable))
	if err != nil {
		t.Fatal(err)
	}
	alone := at("cluster.toml")
	if err := os.WriteFile(alone, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(operate.ClusterVariable, alone)
	for name, want := range map[string]inspect.Document{
		"put.receipt": {Kind: "receipt"}, "later.receipt": {Kind: "receipt"}, "greeting.proof": {Kind: "proven-read"}, "nothing.proof": {Kind: "proven-read"},
	} {
		var d inspect.Document
		if err := json.Unmarshal([]byte(must(t, "verify", at(name), "--json")), &d); err != nil || d.Kind != want.Kind || d.Seq == nil {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
		if name == "put.receipt" && (len(d.Operations) != 1 || len(d.Signers) != 2) || name == "later.receipt" && (len(d.Operations) > 0 || len(d.Signers) != 3) {
			t.Errorf("%s: %+v", name, d)
		}
		whole, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		changed := slices.Clone(whole)
		changed[len(changed)/2] ^= 4
		if err := os.WriteFile(at("changed"), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		badInput{[]string{"verify", at("changed")}, command.Failed, "does not hold"}.check(t)
	}
	if out := must(t, "verify", at("greeting.proof")); !strings.Contains(out, `"greeting" was "hello"`) {
		t.Errorf("verify prints %q", out)
	}
	if out := must(t, "verify", at("nothing.proof")); !strings.Contains(out, `there was no "nothing"`) {
		t.Errorf("verify prints %q", out)
	}
}
