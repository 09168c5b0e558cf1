package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/operate"
)

// An application has opened all the links that its key may have. The next program with the same key gets an error
// that names the bound and the setting, and the command status still works.
func TestLinks_OneTooManyOfAKeyIsToldWhy(t *testing.T) {
	dir := makeCluster(t)
	for i := range 4 {
		replace(filepath.Join("replica"+strconv.Itoa(i), "config.toml"), "max_links_per_client = 64", "max_links_per_client = 2")(t, dir)
		startNode(t, home(dir, i))
	}
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
	for range 2 {
		c, err := client.Dial(t.Context(), filepath.Join(dir, operate.ClusterFile), filepath.Join(dir, operate.ClientKey))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	o := tagma(t, "put", "k", "v", "--timeout", "3s")
	if o.code != command.Failed || !strings.Contains(o.stderr, "too many connections under this client key, 2") ||
		!strings.Contains(o.stderr, "max_links_per_client") || lines(o.stderr) != 1 {
		t.Error(o)
	}
	if s, _ := status(t); !allConnected(s) {
		t.Errorf("status finds no room: %+v", s)
	}
}

// A second process runs with replica 3's key on other addresses, as after a failover or when an image is restored.
// The command status and the logs of the other replicas report it, and so do both processes.
func TestTwins_TwoProcessesOfOneKeyAreNamedOnBothSides(t *testing.T) {
	dir := makeCluster(t)
	var nodes [4]*process
	for i := range nodes {
		nodes[i] = startNode(t, home(dir, i))
	}
	must(t, "put", "k", "v")
	// Then it has a journal, so the copy has one, too; without one the copy might have forgotten votes.
	eventually(t, "replica 3 has executed it", func() bool {
		s, _ := status(t)
		return len(s.Replicas) == 4 && s.Replicas[3].Executed > 0
	})
	second := filepath.Join(dir, "second")
	if err := os.CopyFS(second, os.DirFS(home(dir, 3))); err != nil {
		t.Fatal(err)
	}
	// Both key files must have the permissions that a key file needs.
	if err := os.Chmod(filepath.Join(second, "key"), 0o600); err != nil {
		t.Fatal(err)
	}
	base := freePorts(t)
	replace("second/config.toml", "listen = []", "listen = ['/ip4/127.0.0.1/tcp/"+strconv.Itoa(base)+"']")(t, dir)
	withoutAdmin(t, filepath.Join(second, "config.toml"))
	twin := startNode(t, second)
	eventually(t, "each of the two is told", func() bool {
		const told = "another process runs under this replica's key"
		return strings.Contains(nodes[3].log(), told) && strings.Contains(twin.log(), told)
	})
	if !strings.Contains(nodes[0].log()+nodes[1].log()+nodes[2].log(), "two processes run under the same key, that of replica 3") {
		t.Error("no other replica says so in its log")
	}
	eventually(t, "status says so", func() bool {
		return strings.Contains(tagma(t, "status").stdout, "two processes run under the same key, that of replica 3")
	})
	must(t, "put", "k", "w") // the others mask it
}

// withoutAdmin takes the admin address out of a home's settings.
func withoutAdmin(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "admin = ") {
			kept = append(kept, line)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Join(kept, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}
