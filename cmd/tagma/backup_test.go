package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/operate"
	"tagma/internal/passphrase"
	"tagma/internal/rescue"
	"tagma/network"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
)

// decoded runs a command with --json and returns the decoded document.
func decoded[T any](t *testing.T, args ...string) (out T) {
	t.Helper()
	text := must(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("tagma %q: %v in %s", args, err, text)
	}
	return out
}

// aliveCluster is a running cluster of four replicas.
type aliveCluster struct {
	dir   string
	nodes [4]*process
}

func alive(t *testing.T, dir string) *aliveCluster {
	t.Helper()
	c := &aliveCluster{dir: dir}
	for i := range c.nodes {
		c.nodes[i] = startNode(t, home(dir, i))
	}
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
	return c
}

// die kills every replica at once.
func (c *aliveCluster) die(t *testing.T) {
	t.Helper()
	for _, n := range c.nodes {
		if err := n.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		n.exitCode()
	}
}

// The drill of docs/backup.md: a site is lost with everything that ran there. The backup is restored on another site,
// with new keys and a new cluster id, and the same clients use it.
func TestDrill_ALostSiteIsRestoredElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts eight replicas")
	}
	dir := makeCluster(t, "--history", "100000")
	old := alive(t, dir)
	away := t.TempDir() // where backups are kept
	monday, tuesday := filepath.Join(away, "monday.bak"), filepath.Join(away, "tuesday.bak")

	for i := range 20 {
		must(t, "put", fmt.Sprint("key/", i), fmt.Sprint("before ", i))
	}
	early := decoded[reverted](t, "revert", "nothing/", "--to", "0").Seq
	jsonl := filepath.Join(away, "mass.jsonl")
	if err := os.WriteFile(jsonl, []byte(linesOf(2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "import", jsonl); out != "imported 2000 lines\n" {
		t.Errorf("import says %q", out)
	}
	key := filepath.Join(dir, operate.ClientKey)
	once := call(t, filepath.Join(dir, operate.ClusterFile), key, 7, 1, kv.Put([]byte("once"), []byte("1")))
	first := decoded[rescue.Made](t, "backup", "--out", monday)
	must(t, "put", "key/3", "changed")
	must(t, "delete", "key/4")
	must(t, "put", "late", "held")
	second := decoded[rescue.Made](t, "backup", "--out", tuesday, "--since", monday)
	if second.Since != first.Seq || second.Seq <= first.Seq || second.Bytes >= first.Bytes || len(second.Signers) != 3 || len(second.Liars) != 0 {
		t.Errorf("first %+v, second %+v", first, second)
	}
	past := pastReads(t, early, first.Seq, second.Seq-1, second.Seq)
	v := decoded[rescue.Report](t, "verify", tuesday)
	if v.Kind != "backup" || v.Seq != second.Seq || len(v.Files) != 2 || v.Files[0] != monday || v.Keys != second.Keys {
		t.Errorf("verified %+v", v)
	}
	kept := must(t, "export", "--at", fmt.Sprint(second.Seq))
	must(t, "put", "after", "lost with the site")
	badInput{[]string{"backup", "--out", filepath.Join(away, "running.bak"), "--home", home(dir, 1)}, command.Failed, "stop the node first"}.check(t)
	old.die(t)
	disksGiveABackup(t, dir, tuesday, second)
	if got := must(t, "export", "--in", tuesday); got != kept {
		t.Errorf("the backup is exported as %d bytes, and the cluster had %d at %d", len(got), len(kept), second.Seq)
	}
	if got := must(t, "export", "--in", tuesday, "--at", fmt.Sprint(early)); lines(got) != 20 || !strings.HasPrefix(got, `{"key":"key/0","value":"before 0"}`) {
		t.Errorf("the backup is exported as of %d as %s", early, got)
	}

	rebuilt := filepath.Join(t.TempDir(), "rebuilt")
	made := decoded[operate.Made](t, "restore", "--in", tuesday, "--dir", rebuilt, "--new-keys", "--base-port", strconv.Itoa(freePorts(t)))
	if made.ClientKey != "" || made.Origin == nil || made.Origin.Seq != second.Seq || made.Origin.Root != second.Root.String() {
		t.Errorf("made %+v", made)
	}
	t.Setenv(operate.ClusterVariable, made.ClusterFile)
	t.Setenv(operate.KeyVariable, key) // clients keep their keys
	fresh := alive(t, rebuilt)
	// I3: the same request is sent again, as if its answer had been lost.
	again := call(t, made.ClusterFile, key, 7, 1, kv.Put([]byte("once"), []byte("1")))
	if again.Outcome != wire.OutcomeExecuted || again.Seq != once.Seq || !reflect.DeepEqual(again.Results, once.Results) {
		t.Errorf("a request that was executed before the backup is answered %+v when it is sent again, and was %+v", again, once)
	}
	for key, want := range map[string]string{"key/0": "before 0", "key/3": "changed", "late": "held"} {
		if got := must(t, "get", key); got != want+"\n" {
			t.Errorf("%s reads %q in the new cluster, want %q", key, got, want)
		}
	}
	for _, key := range []string{"key/4", "after"} {
		if o := tagma(t, "get", key); o.code != command.Missing {
			t.Errorf("%s, which the backup does not hold: %v", key, o)
		}
	}
	if got := pastReads(t, early, first.Seq, second.Seq-1, second.Seq); got != past {
		t.Errorf("of the past the new cluster says\n%s\nand the old one said\n%s", got, past)
	}
	pastIsRevertedTo(t, early)

	must(t, "put", "new", "1")
	fresh.die(t)
	fresh = alive(t, rebuilt)
	if got := must(t, "get", "new") + must(t, "get", "key/3"); got != "1\nbefore 3\n" {
		t.Errorf("after a crash of all it reads %q", got)
	}
	exported := must(t, "export")
	for l := range strings.Lines(linesOf(2000)) {
		if !strings.Contains("\n"+exported, "\n"+l) {
			t.Fatalf("export does not have the line %q that was imported before the backup", l)
		}
	}
	oneHomeIsRestored(t, fresh, tuesday, filepath.Join(away, "new.bak"))
}

// pastReads reads past states of a cluster and returns the answers.
func pastReads(t *testing.T, seqs ...uint64) (said string) {
	t.Helper()
	for _, seq := range seqs {
		for _, key := range []string{"key/3", "key/4", "late", "mass/0007"} {
			o := tagma(t, "get", key, "--json", "--at", fmt.Sprint(seq))
			said += fmt.Sprint(seq, " ", o.code, o.stdout)
		}
		said += must(t, "get", "key/", "--prefix", "--json", "--at", fmt.Sprint(seq))
	}
	return said
}

// pastIsRevertedTo reverts the state of a cluster to an earlier one.
func pastIsRevertedTo(t *testing.T, seq uint64) {
	t.Helper()
	want := must(t, "get", "key/", "--prefix", "--at", fmt.Sprint(seq))
	if r := decoded[reverted](t, "revert", "key/", "--to", fmt.Sprint(seq)); r.Put != 2 || r.Deleted != 0 {
		t.Errorf("reverted to %d, from before the new cluster: %+v", seq, r)
	}
	if got := must(t, "get", "key/", "--prefix"); got != want || lines(got) != 20 {
		t.Errorf("after the revert to %d it reads\n%s\nwant\n%s", seq, got, want)
	}
}

// disksGiveABackup makes one backup from the whole disk of a killed replica, and one from that replica's data
// directory alone.
func disksGiveABackup(t *testing.T, dir, last string, want rescue.Made) {
	t.Helper()
	saved := filepath.Join(t.TempDir(), "saved.bak")
	made := decoded[rescue.Made](t, "backup", "--out", saved, "--home", home(dir, 1))
	if made.Seq != want.Seq || made.Root != want.Root || made.Keys != want.Keys || made.JournalReach <= made.Seq || len(made.Signers) != 3 {
		t.Errorf("the disk gave %+v, and the cluster gave %+v", made, want)
	}
	if v := decoded[rescue.Report](t, "verify", saved); v.Root != want.Root || len(v.Files) != 1 {
		t.Errorf("verified %+v", v)
	}
	badInput{
		[]string{"backup", "--out", saved + "2", "--home", home(dir, 2), "--since", last}, command.Failed, "take another replica's disk",
	}.check(t)
	spoilt, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	spoilt[len(spoilt)/2] ^= 1
	if err := os.WriteFile(saved+"4", spoilt, 0o600); err != nil {
		t.Fatal(err)
	}
	text := saved + ".jsonl"
	badInput{[]string{"export", "--in", saved + "4", "--out", text}, command.Failed, "the backup is damaged"}.check(t)
	if out := must(t, "export", "--in", saved, "--out", text); !strings.HasPrefix(out, text+": 20") {
		t.Errorf("export behind one that failed says %q", out)
	}
	alone := t.TempDir()
	for _, part := range []string{"journal", "state"} {
		if err := os.CopyFS(filepath.Join(alone, part), os.DirFS(filepath.Join(home(dir, 0), part))); err != nil {
			t.Fatal(err)
		}
	}
	if out := must(t, "backup", "--out", saved+"3", "--home", alone); !strings.Contains(out, "the journal on this disk goes on to") {
		t.Errorf("of the data alone: %s", out)
	}
}

// fetched reads from a log how many keys a transfer fetched.
var fetched = regexp.MustCompile(`the state is fetched.* keys=(\d+)`)

// oneHomeIsRestored restores a home that lost its disk, once from a backup of the cluster itself and once from a
// backup of the cluster that it was restored from.
func oneHomeIsRestored(t *testing.T, c *aliveCluster, origin, own string) {
	must(t, "backup", "--out", own)
	for i := range 200 {
		must(t, "put", "more", fmt.Sprint(i))
	}
	for _, backup := range []string{own, origin} {
		lost := home(c.dir, 2)
		if o := tagma(t, "restore", "--in", backup, "--dir", c.dir, "--replica", "2"); o.code != command.Failed || !strings.Contains(o.stderr, "holds data") {
			t.Errorf("into a home that has its data: %v", o)
		}
		if err := c.nodes[2].cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.nodes[2].exitCode()
		for _, part := range []string{"journal", "state"} {
			if err := os.RemoveAll(filepath.Join(lost, part)); err != nil {
				t.Fatal(err)
			}
		}
		if o := tagma(t, "restore", "--in", backup, "--dir", c.dir, "--replica", "1"); o.code != command.Failed {
			t.Errorf("into another home: %v", o)
		}
		must(t, "restore", "--in", backup, "--dir", c.dir, "--replica", "2")
		c.nodes[2] = startSaying(t, lost, "it may have forgotten what it signed") // D8.3
		eventually(t, "the replica is whole, and follows", func() bool {
			must(t, "put", "more", "again")
			s, _ := status(t)
			return allConnected(s) && s.Healthy && s.Replicas[2].Executed > 0
		})
		m := fetched.FindStringSubmatch(c.nodes[2].log())
		if m == nil {
			if backup != origin { // after restoring the older backup it may instead get batches
				t.Errorf("it fetched no state; its log:\n%s", c.nodes[2].log())
			}
			continue
		}
		if keys, err := strconv.Atoi(m[1]); err != nil || keys > 1000 { // X4: of more than 2000
			t.Errorf("it fetched %s keys, and the backup held most of them", m[1])
		}
	}
}

// linesOf returns this many lines for the command import. The first lines contain bytes that are not text.
func linesOf(n int) string {
	var b strings.Builder
	b.WriteString(`{"key_base64":"//4=","value_base64":"AP8="}` + "\n" + `{"key":"<text>","value":"<&>\n\u2028"}` + "\n")
	for i := range n - 2 {
		fmt.Fprintf(&b, "{\"key\":\"mass/%04d\",\"value\":\"%0100d\"}\n", i, i)
	}
	return b.String()
}

// caller sends requests with numbers of its own choice over real links. So it can send a request again, like a client
// that was cut off.
type caller struct {
	mu      sync.Mutex
	replies map[int]*wire.Reply // by replica: the last one
}

func (c *caller) FromReplica(from int, frame []byte) {
	m, err := wire.Decode(frame)
	if reply, is := m.(*wire.Reply); err == nil && is {
		c.mu.Lock()
		c.replies[from] = reply
		c.mu.Unlock()
	}
}

// call sends one request of a session under a given number, until f+1 replicas have given equal answers.
func call(t *testing.T, clusterFile, keyFile string, session wire.Session, number uint64, op []byte) *wire.Reply {
	t.Helper()
	file, err := cluster.Load(clusterFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := passphrase.ReadKey(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	c := &caller{replies: map[int]*wire.Reply{}}
	host, err := network.Dial(network.ClientConfig{Seed: key.Seed(), Members: file.Members(), Greeting: file.Greeting()}, c)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	}()
	r := &wire.Request{ID: wire.RequestID{Client: key.Public(), Session: session, T: number}, Ops: [][]byte{op}}
	wire.SignRequest(wire.Digest(file.ID), r, func(b []byte) wire.Signature { return key.Sign(b) })
	frame := wire.Encode(r)
	var agreed *wire.Reply
	eventually(t, "two replicas answer alike", func() bool {
		for i := range file.Replicas {
			host.Send(i, frame)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, a := range c.replies {
			for j, b := range c.replies {
				if i < j && a.ID == r.ID && a.Outcome == b.Outcome && a.Seq == b.Seq && reflect.DeepEqual(a.Results, b.Results) {
					agreed = a
				}
			}
		}
		return agreed != nil
	})
	return agreed
}
