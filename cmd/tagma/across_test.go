package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"tagma/internal/command"
	"tagma/internal/operate"
)

// pair is two clusters of real replicas that know each other.
type pair struct {
	east, west string // directories
	nodes      map[string][]*process
}

func (p *pair) with() []string {
	return []string{"--with", "east=" + p.file(p.east), "--with", "west=" + p.file(p.west)}
}

func (*pair) file(dir string) string { return filepath.Join(dir, operate.ClusterFile) }

func (p *pair) on(dir string, args ...string) []string { return append(args, "--cluster", p.file(dir)) }

func makePair(t *testing.T, machine string) *pair {
	t.Helper()
	p := &pair{nodes: map[string][]*process{}}
	for _, dir := range []*string{&p.east, &p.west} {
		*dir = makeCluster(t, "--machine", machine, "--admins", "1")
		for i := range 4 {
			p.nodes[*dir] = append(p.nodes[*dir], startNode(t, home(*dir, i)))
		}
	}
	for _, c := range [][3]string{{p.east, "west", p.west}, {p.west, "east", p.east}} {
		must(t, p.on(c[0], "group", "add", c[1], p.file(c[2]), "--key", filepath.Join(c[0], "admin1.key"))...)
	}
	return p
}

// A transfer between the banks of two clusters of real replicas, from the command line: it takes effect in both or in
// neither; what a client left behind is listed, and another client resolves it; and the outcome is proven by a file.
func TestAcross_TransfersBetweenTwoClusters(t *testing.T) {
	p := makePair(t, "bank")
	must(t, p.on(p.east, "bank", "open", "alice", "100")...)
	must(t, p.on(p.west, "bank", "open", "bob", "10")...)
	if list := must(t, p.on(p.east, "group", "list")...); !strings.HasPrefix(list, "west\t") || !strings.Contains(list, "\tbank\tepoch 0\t4 replicas\n") {
		t.Errorf("group list: %q", list)
	}
	receipt := filepath.Join(t.TempDir(), "receipt")
	transfer := func(to string, amount string, more ...string) outcome {
		return tagma(t, append(append([]string{"bank", "transfer", "alice@east", to, amount}, p.with()...), more...)...)
	}
	if o := transfer("bob@west", "5", "--receipt", receipt); o.code != command.Done || !strings.HasPrefix(o.stdout, "committed ") {
		t.Fatalf("%+v", o)
	}
	balance := func(dir, account, want string) {
		t.Helper()
		if got := must(t, p.on(dir, "bank", "balance", account)...); got != want+"\n" {
			t.Errorf("%s has %q, want %s", account, got, want)
		}
	}
	balance(p.east, "alice", "95")
	balance(p.west, "bob", "15")
	provenBy(t, receipt, p.file(p.east), p.file(p.west))

	for name, c := range map[string]struct {
		to, amount, code, message string
	}{
		"too much":     {"bob@west", "96", "aborted", "east refused its part"},
		"nobody there": {"nobody@west", "1", "aborted", "west refused its part"},
		"one cluster":  {"bob@east", "1", "unusable", "of one cluster"},
		"no cluster":   {"bob", "1", "unusable", "names no cluster"},
		"unknown name": {"bob@north", "1", "unusable", "there is no --with north"},
	} {
		o := transfer(c.to, c.amount, "--json")
		if !strings.Contains(o.stdout, `"`+c.code+`"`) || !strings.Contains(o.stdout, c.message) || strings.Count(o.stderr, "\n") > 1 {
			t.Errorf("%s: %+v", name, o)
		}
	}
	balance(p.east, "alice", "95")

	// West's replicas are gone while alice pays: the client stops, and nothing is lost.
	for i := range 2 {
		p.nodes[p.west][i].signal(syscall.SIGKILL)
		p.nodes[p.west][i].exitCode()
	}
	if o := transfer("bob@west", "7", "--timeout", "2s"); o.code != command.Failed {
		t.Errorf("%+v", o)
	}
	for i := range 2 {
		p.nodes[p.west][i] = startNode(t, home(p.west, i))
	}
	eventually(t, "nothing is pending, or is resolved", func() bool {
		for _, tid := range p.pending(t) {
			tagma(t, append([]string{"commit", "resolve", tid}, p.with()...)...)
		}
		o := tagma(t, append([]string{"commit", "pending", "--json"}, p.with()...)...)
		return o.code == command.Done && len(p.pending(t)) == 0
	})
	sum := 0
	for dir, account := range map[string]string{p.east: "alice", p.west: "bob"} {
		var n int
		if _, err := fmt.Sscan(must(t, p.on(dir, "bank", "balance", account)...), &n); err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != 110 {
		t.Errorf("alice and bob have %d together", sum)
	}
	for _, dir := range []string{p.east, p.west} {
		must(t, p.on(dir, "bank", "audit")...)
	}
}

// pending lists the identifiers that both clusters hold.
func (p *pair) pending(t *testing.T) (tids []string) {
	t.Helper()
	var all struct {
		Pending map[string][]struct{ TID string }
	}
	o := tagma(t, append([]string{"commit", "pending", "--json"}, p.with()...)...)
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil {
		return nil // a cluster does not answer yet
	}
	for _, list := range all.Pending {
		for _, e := range list {
			tids = append(tids, e.TID)
		}
	}
	return tids
}

func TestAcross_TransactionsOfKeys(t *testing.T) {
	p := makePair(t, "kv")
	file := filepath.Join(t.TempDir(), "move")
	if err := os.WriteFile(file, []byte("# the lock moves\n@east\nversion lock = 0\n\nput lock me\n\n@west\n\nput log \"east locked\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := append([]string{"txn", file}, p.with()...)
	out := must(t, run...)
	if !strings.HasPrefix(out, "committed ") || must(t, p.on(p.west, "get", "log")...) != "east locked\n" || must(t, p.on(p.east, "get", "lock")...) != "me\n" {
		t.Errorf("%q", out)
	}
	if o := tagma(t, run...); o.code != command.Failed || !strings.Contains(o.stderr, "east refused its part (a compare does not hold)") {
		t.Errorf("again: %+v", o)
	}
	tid := strings.TrimSpace(strings.TrimPrefix(out, "committed "))
	if status := must(t, append([]string{"commit", "status", tid}, p.with()...)...); status != "east\tcommitted (coordinator)\nwest\tcommitted\n" {
		t.Errorf("%q", status)
	}
	if again := must(t, append([]string{"commit", "resolve", tid}, p.with()...)...); again != out {
		t.Errorf("%q", again)
	}
	for name, args := range map[string][]string{
		"no record": {"commit", "resolve", strings.Repeat("0", 64)}, "bad tid": {"commit", "status", "12"},
	} {
		o := tagma(t, append(args, p.with()...)...)
		if want := map[string]int{"no record": command.Missing, "bad tid": command.Unusable}[name]; o.code != want || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// provenBy checks that the coordinator's file alone shows the outcome, that no other does, and that every byte counts.
func provenBy(t *testing.T, receipt, coordinator, other string) {
	t.Helper()
	if out := must(t, "verify", receipt, "--cluster", coordinator); !strings.HasPrefix(out, "committed ") || !strings.Contains(out, "signed by replicas ") {
		t.Errorf("%q", out)
	}
	if o := tagma(t, "verify", receipt, "--cluster", other); o.code != command.Failed || !strings.Contains(o.stderr, "does not hold") {
		t.Errorf("with the other cluster's file: %+v", o)
	}
	whole, err := os.ReadFile(receipt)
	if err != nil {
		t.Fatal(err)
	}
	spoiled := filepath.Join(t.TempDir(), "spoiled")
	for i := range whole {
		changed := slices.Clone(whole)
		changed[i] ^= 1
		if err := os.WriteFile(spoiled, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if o := tagma(t, "verify", spoiled, "--cluster", coordinator); o.code == command.Done {
			t.Errorf("it holds with byte %d changed", i)
		}
	}
}
