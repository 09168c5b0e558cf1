package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/kvtext"
	"tagma/internal/machines"
	"tagma/internal/operate"
)

// runCluster makes a cluster of a machine, changes its file if edit is given, and starts its replicas.
func runCluster(t *testing.T, machine string, edit func(*cluster.File)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), machine)
	must(t, "init", "--dir", dir, "--base-port", strconv.Itoa(freePorts(t)), "--machine", machine)
	path := filepath.Join(dir, operate.ClusterFile)
	t.Setenv(operate.ClusterVariable, path)
	if edit != nil {
		file, err := cluster.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		edit(file)
		if err := file.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		startNode(t, home(dir, i))
	}
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
}

// script runs command lines one after the other and compares their output with what is expected.
func script(t *testing.T, steps [][2]string) {
	t.Helper()
	for _, step := range steps {
		if got := must(t, strings.Fields(step[0])...); got != step[1] {
			t.Errorf("tagma %s prints %q, want %q", step[0], got, step[1])
		}
	}
}

func TestCluster_TransactionsAndThePast(t *testing.T) {
	runCluster(t, machines.KV, func(f *cluster.File) {
		f.Protocol.CheckpointInterval, f.Protocol.LogWindow = 4, 8
	})
	lock := filepath.Join(t.TempDir(), "lock.txn")
	text := "version lock = 0\n\nput lock me\nput lock/since noon\nprefix lock\n\nget lock\ndelete nothing\n"
	if err := os.WriteFile(lock, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	script(t, [][2]string{
		{"txn " + lock, "succeeded rev 2\nOK\nOK\nlock\tme\nlock/since\tnoon\n"},
		{"txn " + lock, "failed rev 2\nlock\tme\ndeleted 0\n"},
		{"get lock --prefix --limit 1", "lock\tme\n"},
	})
	var done kvtext.Outcome
	if err := json.Unmarshal([]byte(must(t, "txn", lock, "--json")), &done); err != nil ||
		done.Succeeded || done.Seq == 0 || len(done.Results) != 2 || len(*done.Results[0].Pairs) != 1 || *done.Results[1].Deleted != 0 {
		t.Errorf("txn --json: %+v, %v", done, err)
	}
	badInput{[]string{"revert", "k", "--to", "1"}, command.Unusable, "the cluster keeps no history; set history"}.check(t)
	thePastIsReadWhileItIsRetained(t)
}

func thePastIsReadWhileItIsRetained(t *testing.T) {
	var put changed
	if err := json.Unmarshal([]byte(must(t, "put", "k", "old", "--json")), &put); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprint(put.Seq)
	script(t, [][2]string{
		{"put k new", "OK rev 4\n"},
		{"get k", "new\n"},
		{"get k --at " + at, "old\n"},
		{"get k --prefix --at " + at, "k\told\n"},
	})
	badInput{[]string{"get", "k", "--at", fmt.Sprint(put.Seq - 1)}, command.Missing, "there is no such key"}.check(t)
	badInput{[]string{"get", "k", "--at", "1000000"}, command.Failed, "not executed yet"}.check(t)
	for i := range 20 {
		must(t, "put", "k", fmt.Sprint(i))
	}
	eventually(t, "the replicas give the state up", func() bool {
		o := tagma(t, "get", "k", "--at", at)
		return o.code == command.Failed && strings.Contains(o.stderr, "not retained any more") && lines(o.stderr) == 1
	})
}

func TestCluster_RevertsAndTellsOfTheHistory(t *testing.T) {
	runCluster(t, machines.KV, func(f *cluster.File) {
		f.Protocol.CheckpointInterval, f.Protocol.LogWindow = 4, 8
		f.Protocol.History, f.Protocol.MaxRequestCost = 80, 1000
	})
	var put changed
	if err := json.Unmarshal([]byte(must(t, "put", "u/a", "old", "--json")), &put); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprint(put.Seq)
	script(t, [][2]string{
		{"put u/a new", "OK rev 3\n"},
		{"put u/b new", "OK rev 4\n"},
		{"put v new", "OK rev 5\n"},
	})
	for i := range 20 { // after many checkpoints no replica's store holds that state any more
		must(t, "put", fmt.Sprint("other", i), "x")
	}
	script(t, [][2]string{
		{"get u/ --prefix --at " + at, "u/a\told\n"},
		{"get u/a --at " + at, "old\n"},
		{"revert u/ --to " + at, "OK rev 26 put 1 deleted 1\n"},
		{"get u/ --prefix", "u/a\told\n"},
		{"get v", "new\n"},
		{"revert u/ --to " + at, "OK rev 26 put 0 deleted 0\n"},
	})
	var back reverted
	if err := json.Unmarshal([]byte(must(t, "revert", "u/", "--to", fmt.Sprint(put.Seq+2), "--json")), &back); err != nil ||
		back.Prefix != "u/" || back.To != put.Seq+2 || back.Put != 2 || back.Deleted != 0 || back.Revision != 27 || back.Seq <= put.Seq+20 {
		t.Errorf("revert --json: %+v, %v", back, err)
	}
	script(t, [][2]string{{"get u/ --prefix", "u/a\tnew\nu/b\tnew\n"}})
	badInput{[]string{"revert", "u/", "--to", "1000000"}, command.Failed, "not executed yet"}.check(t)
	badInput{[]string{"revert", "u/"}, command.Unusable, "--to SEQ"}.check(t)
	var first changed
	for i := range 70 {
		if err := json.Unmarshal([]byte(must(t, "put", fmt.Sprint("more", i), "x", "--json")), &first); err != nil {
			t.Fatal(err)
		}
	}
	badInput{[]string{"revert", "more", "--to", fmt.Sprint(first.Seq - 59)}, command.Unusable, "by longer prefixes"}.check(t)
	script(t, [][2]string{{"get more69", "x\n"}, {"revert more6 --to " + fmt.Sprint(first.Seq-59), "OK rev 98 put 0 deleted 10\n"}})
	badInput{[]string{"revert", "u/", "--to", at}, command.Failed, "not retained any more"}.check(t)
	badInput{[]string{"get", "u/a", "--at", at}, command.Failed, "not retained any more"}.check(t)
}

func TestCluster_RunsTheBank(t *testing.T) {
	runCluster(t, machines.Bank, nil)
	script(t, [][2]string{
		{"bank open alice 100", "OK alice 100\n"},
		{"bank open bob", "OK bob 0\n"},
		{"bank transfer alice bob 30", "OK alice 70, bob 30\n"},
		{"bank balance bob", "30\n"},
		{"bank audit", "OK 100 in 2 accounts\n"},
	})
	history := must(t, "bank", "history", "bob", "--from", "2")
	if !strings.HasPrefix(history, "2\t20") || !strings.HasSuffix(history, "\treceived 30 from alice, balance 30\n") || lines(history) != 1 {
		t.Errorf("history: %q", history)
	}
	var listed struct{ Entries []historyEntry }
	if err := json.Unmarshal([]byte(must(t, "bank", "history", "alice", "--limit", "1", "--json")), &listed); err != nil ||
		len(listed.Entries) != 1 || listed.Entries[0].Kind != "opened" || listed.Entries[0].Balance != 100 {
		t.Errorf("history --json: %+v, %v", listed, err)
	}
	var moved struct {
		From uint64 `json:"from_balance"`
		Seq  uint64 `json:"seq"`
	}
	if err := json.Unmarshal([]byte(must(t, "bank", "transfer", "bob", "alice", "5", "--json")), &moved); err != nil || moved.From != 25 || moved.Seq == 0 {
		t.Errorf("transfer --json: %+v, %v", moved, err)
	}
	for _, bad := range []badInput{
		{[]string{"bank", "transfer", "bob", "alice", "26"}, command.Failed, "smaller than the amount"},
		{[]string{"bank", "transfer", "bob", "eve", "1"}, command.Missing, "no account to receive"},
		{[]string{"bank", "open", "bob"}, command.Failed, "exists already"},
		{[]string{"bank", "balance", "eve"}, command.Missing, "no such account"},
		{[]string{"bank", "history", "eve"}, command.Missing, "no such account"},
		{[]string{"bank", "open", "a b"}, command.Unusable, "visible ASCII"},
		{[]string{"bank", "transfer", "bob", "bob", "1"}, command.Unusable, "cannot pay itself"},
		{[]string{"bank", "transfer", "bob", "alice", "0"}, command.Unusable, "at least 1"},
		{[]string{"put", "k", "v"}, command.Unusable, "use tagma bank"},
	} {
		bad.check(t)
	}
	if o := tagma(t, "bank", "balance", "eve", "--json"); o.code != command.Missing || !strings.Contains(o.stdout, `"not-found"`) {
		t.Error(o)
	}
}
