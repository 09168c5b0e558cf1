package node

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"tagma/checkpoint/store"
)

// mount mounts a new file system of this many bytes at dir.
func (b *testbed) mount(t *testing.T, dir string, size int) {
	t.Helper()
	mount(t, dir, size)
	t.Cleanup(b.stopAll) // before it is unmounted
}

func mount(t *testing.T, dir string, size int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("a full disk needs the right to mount a small one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

func enlarge(t *testing.T, dir string, size int) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatal(err)
	}
}

// fails fills the disk of a replica while the others continue, and waits until the replica has stopped by itself.
func (b *testbed) fails(i int, l *load, want error) {
	b.t.Helper()
	for ended := false; !ended; {
		if l.acks > 500 {
			b.t.Fatal("the replica goes on without a disk")
		}
		l.put(1, 6000)
		b.until("the replica follows or stops", func(rs []Report) bool {
			select {
			case err := <-b.nodes[i].done:
				if ended = true; !errors.Is(err, want) {
					b.t.Fatalf("replica %d stopped: %v; want %v", i, err, want)
				}
			default:
			}
			return ended || rs[i].Executed == rs[0].Executed
		})
	}
	b.nodes[i] = nil
}

// The journal cannot make its next segment, because the disk is full.
func TestD6_AFullDiskUnderTheJournalStopsTheReplica(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	dir := filepath.Join(b.home(3), JournalDir)
	b.mount(t, dir, 400<<10)
	b.startAll()
	l := b.load()
	l.put(8, 6000)
	b.level(4)
	b.fails(3, l, syscall.ENOSPC)
	l.put(4, 6000)
	enlarge(t, dir, 8<<20)
	b.start(3)
	b.level(4)
	b.halt(2) // so that it is needed
	l.put(8, 6000)
	b.level(3)
	l.check(6000)
}

// The store does not use up a reserve of free space, so it stops before the disk is full.
func TestD6_AFullDiskUnderTheStoreStopsTheReplica(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	dir := filepath.Join(b.home(3), "data")
	b.mount(t, dir, 66<<20)
	b.adjust(3, func(s *Settings) { s.Data = "data" })
	b.startAll()
	l := b.load()
	l.put(8, 6000)
	b.level(4)
	b.fails(3, l, store.ErrDiskFull)
	if err := os.WriteFile(filepath.Join(dir, "other"), make([]byte, 4<<20), 0o600); err != nil { // the reserve goes, too
		t.Fatal(err)
	}
	if err := b.refused(3, "make room and start again"); !errors.Is(err, store.ErrDiskFull) {
		t.Errorf("started without room: %v", err)
	}
	l.put(4, 6000)
	enlarge(t, dir, 128<<20)
	b.start(3)
	b.level(4)
	b.halt(2)
	l.put(8, 6000)
	b.level(3)
	l.check(6000)
}

// E1: if the disk has no room for a file of evidence, no incomplete file remains.
func TestE1_AFullDiskLeavesNoHalfOfAProof(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	mount(t, home, 256<<10)
	dir, filler := filepath.Join(home, EvidenceDir), filepath.Join(home, "other")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk did not fill: %v", err)
	}
	w := newWitness(dir, 0, &counters{}, slog.New(slog.DiscardHandler))
	w.Accused(accusation(1, 1))
	if files, err := os.ReadDir(dir); err == nil && len(files) > 0 {
		t.Errorf("the full disk holds %v", files)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	w.Accused(accusation(1, 2))
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("with room again it holds %v, %v; want the next proof", files, err)
	}
}
