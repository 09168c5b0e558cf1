package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tagma/internal/command"
)

// D6: the disk of a replica has not one free block. The replica stops with one line and exit code 1, at which its
// unit file restarts it, and the others continue. Once the disk has room, a start continues from what was written,
// and nothing acknowledged is lost (I9).
func TestD6_AFullDiskStopsOneReplicaLoudly(t *testing.T) {
	for _, system := range []struct {
		name  string
		mount func(t *testing.T, dir string)
	}{{"tmpfs", mountTmpfs}, {"ext4", mountExt4}} {
		t.Run(system.name, func(t *testing.T) {
			dir := makeCluster(t)
			disk := filepath.Join(t.TempDir(), "disk")
			if err := os.Mkdir(disk, 0o700); err != nil {
				t.Fatal(err)
			}
			system.mount(t, disk)
			replace("replica0/config.toml", "data = ''", "data = '"+disk+"'")(t, dir)
			replace("replica0/config.toml", "16777216", "65536")(t, dir) // small segments, so that they are used up soon
			var nodes [4]*process
			for i := range nodes {
				nodes[i] = startNode(t, home(dir, i))
			}
			eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
			must(t, "put", "before", "v")
			filled := fill(t, disk)
			value := strings.Repeat("x", 8<<10)
			eventually(t, "the replica with the full disk stops", func() bool {
				must(t, "put", "k", value) // the others go on
				return nodes[0].hasEnded()
			})
			stoppedByAFullDisk(t, nodes[0])
			full := tagmaProcess(t, "node", "--home", home(dir, 0))
			if full.code != command.Failed || strings.Count(untimed(full.stderr), "\n") != 1 || !namesAFullDisk(full.stderr) {
				t.Errorf("started on a full disk: %v", full)
			}
			must(t, "put", "meanwhile", "w")
			for _, f := range filled {
				if err := os.Remove(f); err != nil {
					t.Fatal(err)
				}
			}
			startNode(t, home(dir, 0))
			eventually(t, "all replicas are connected again", func() bool { s, _ := status(t); return allConnected(s) })
			nodes[1].signal(syscall.SIGTERM) // now the cluster needs the replica that was restarted
			nodes[1].exitCode()
			must(t, "put", "after", "u")
			for key, want := range map[string]string{"before": "v\n", "k": value + "\n", "meanwhile": "w\n", "after": "u\n"} {
				if out := must(t, "get", key); out != want {
					t.Errorf("afterwards %q reads %.20q", key, out)
				}
			}
		})
	}
}

// D6: badger's own goroutines may write through memory maps at any time. If the disk does not provide such a page
// (here because the file was cut), the replica ends as after any other failure of the disk. A start continues from
// the journal (D5).
func TestD6_AFaultBelowTheStoreStopsOneReplicaLoudly(t *testing.T) {
	dir := makeCluster(t)
	var nodes [4]*process
	for i := range nodes {
		nodes[i] = startNode(t, home(dir, i))
	}
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
	must(t, "put", "before", "v")
	mapped, err := filepath.Glob(filepath.Join(home(dir, 0), "state", "*.mem"))
	if err != nil || len(mapped) == 0 {
		t.Fatalf("no file of the store is mapped: %v", err)
	}
	for _, file := range mapped {
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the replica whose store fails stops", func() bool {
		must(t, "put", "k", "v")
		return nodes[0].hasEnded()
	})
	stoppedByAFullDisk(t, nodes[0])
	startNode(t, home(dir, 0))
	eventually(t, "all replicas are connected again", func() bool { s, _ := status(t); return allConnected(s) })
	nodes[1].signal(syscall.SIGTERM) // now the cluster needs the replica that was restarted
	nodes[1].exitCode()
	must(t, "put", "after", "u")
	if out := must(t, "get", "before"); out != "v\n" {
		t.Errorf("afterwards the key reads %q", out)
	}
}

func stoppedByAFullDisk(t *testing.T, p *process) {
	t.Helper()
	if code := p.exitCode(); code != command.Failed {
		t.Errorf("exit code %d", code)
	}
	told := untimed(p.log())
	if strings.Count(told, "\n") != 1 || !strings.HasPrefix(told, "tagma: replica 0 stopped: ") || !namesAFullDisk(told) {
		t.Errorf("it should say once that it stopped and why, but says:\n%.4000s", told)
	}
}

func namesAFullDisk(line string) bool {
	return strings.Contains(line, "full") || strings.Contains(line, "no space")
}

// untimed returns a process's standard error without the lines of its log.
func untimed(stderr string) string {
	var lines []string
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "time=") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

const smallDisk = "256m"

func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("tagma-test", dir, "tmpfs", 0, "size="+smallDisk); err != nil {
		t.Skipf("needs the right to mount a small file system: %v", err)
	}
	unmountAtEnd(t, dir)
}

// mountExt4 mounts a file that holds an ext4 file system without blocks reserved for root.
func mountExt4(t *testing.T, dir string) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	for _, line := range [][]string{
		{"truncate", "-s", smallDisk, image}, {"mkfs.ext4", "-q", "-m", "0", image}, {"mount", "-o", "loop", image, dir},
	} {
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			t.Skipf("needs a small ext4 file system, and the right to mount it: %v: %v: %s", line, err, out)
		}
	}
	unmountAtEnd(t, dir)
}

func unmountAtEnd(t *testing.T, dir string) {
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

// fill fills a disk to the last block and returns the files with which it did so. It makes several files, because a
// file system may refuse blocks to a growing file and still have some for the next file.
func fill(t *testing.T, dir string) (files []string) {
	t.Helper()
	for range 4 {
		f, err := os.CreateTemp(dir, "something else")
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f.Name())
		for size := 1 << 20; size > 0; {
			_, err := f.Write(make([]byte, size))
			if err == nil {
				err = f.Sync()
			}
			if errors.Is(err, syscall.ENOSPC) {
				size /= 2
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
