package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tagma/internal/command"
)

// D6: a replica whose disk is full stops at once with one line and exit code 1, and the others go on.
func TestD6_AFullDiskStopsOneReplicaLoudly(t *testing.T) {
	dir := makeCluster(t)
	disk := smallDisk(t)
	replace("replica0/config.toml", "data = ''", "data = '"+disk+"'")(t, dir)
	replace("replica0/config.toml", "16777216", "65536")(t, dir) // segments that are used up soon
	var nodes [4]*process
	for i := range nodes {
		nodes[i] = startNode(t, home(dir, i))
	}
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
	must(t, "put", "before", "v")
	fill(t, disk)
	value := strings.Repeat("x", 8<<10)
	eventually(t, "the replica with the full disk stops", func() bool {
		must(t, "put", "k", value) // the others do not mind
		select {
		case <-nodes[0].ended:
			return true
		default:
			return false
		}
	})
	if code := nodes[0].exitCode(); code != command.Failed {
		t.Errorf("exit code %d", code)
	}
	told := 0
	for line := range strings.Lines(nodes[0].log()) {
		if strings.HasPrefix(line, "tagma: replica 0 stopped: ") && (strings.Contains(line, "full") || strings.Contains(line, "no space")) {
			told++
		}
	}
	if told != 1 {
		t.Errorf("it says so %d times:\n%s", told, nodes[0].log())
	}
	if out := must(t, "get", "before"); out != "v\n" {
		t.Errorf("afterwards the key reads %q", out)
	}
}

// smallDisk mounts a file system of its own, if that is allowed here.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tagma-test", dir, "tmpfs", 0, "size=256m"); err != nil {
		t.Skipf("needs the right to mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// left is less than what a store wants to find free, and enough for it to close in order.
const left = 32 << 20

// fill takes all but a little of the room there is on a disk.
func fill(t *testing.T, dir string) {
	t.Helper()
	var free syscall.Statfs_t
	if err := syscall.Statfs(dir, &free); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "something else"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(free.Bavail)*free.Bsize-left); err != nil {
		t.Fatal(fmt.Errorf("fill the disk: %w", err))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
