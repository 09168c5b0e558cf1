package processes

import (
	"os"
	"path/filepath"
	"testing"

	"tagma/checkpoint/journal"
	"tagma/internal/node"
)

// parts are the directories in a replica's data.
var parts = []string{node.JournalDir, node.StateDir, node.EvidenceDir}

// newHome makes a home with this life, and a file in each part of its data.
func newHome(t *testing.T, life string) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "replica0")
	for _, part := range parts {
		place(t, filepath.Join(Data(home), part, "file"), part+" of "+life)
	}
	place(t, filepath.Join(home, node.LifeFile), life)
	place(t, filepath.Join(home, node.KeyFile), "key")
	return home
}

func place(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantHome fails the test unless a home has the life in the argument life and the data of the life in the argument of;
// "" stands for none.
func wantHome(t *testing.T, home, life, of string) {
	t.Helper()
	if got := lifeOf(home); got != life {
		t.Errorf("the life is %q, not %q", got, life)
	}
	for _, part := range parts {
		text, err := os.ReadFile(filepath.Join(Data(home), part, "file"))
		if want := part + " of " + of; of != "" && string(text) != want || of == "" && err == nil {
			t.Errorf("%s holds %q, not %q", part, text, want)
		}
	}
	if key, err := os.ReadFile(filepath.Join(home, node.KeyFile)); err != nil || string(key) != "key" {
		t.Errorf("the key is %q: %v", key, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHomes_AreLostElsewhereAndPutBack(t *testing.T) {
	home := newHome(t, "a")
	must(t, unmount(home))
	wantHome(t, home, "a", "")
	if left, err := os.ReadDir(Data(home)); err != nil || len(left) > 0 {
		t.Errorf("where the data were mounted there is no empty directory: %v, %v", left, err)
	}
	must(t, mount(home))
	wantHome(t, home, "a", "a")

	must(t, keep(home))
	must(t, Wipe(home))
	wantHome(t, home, "a", "")
	place(t, filepath.Join(Data(home), node.JournalDir, "other"), "of b")
	place(t, filepath.Join(home, node.LifeFile), "b")
	must(t, rollback(home))
	wantHome(t, home, "a", "a")
	if _, err := os.Stat(filepath.Join(Data(home), node.JournalDir, "other")); err == nil {
		t.Error("the copy lies among what was there")
	}

	must(t, loseState(home))
	if _, err := os.Stat(filepath.Join(Data(home), node.StateDir)); err == nil {
		t.Error("the state is there")
	}
	if _, err := os.Stat(filepath.Join(Data(home), node.JournalDir, "file")); err != nil {
		t.Error(err)
	}
}

// D8.12: if a disk is mounted again after a new life has begun, it must not replace the data of that life.
func TestD8_12_DataOfANewLifeStay(t *testing.T) {
	home := newHome(t, "a")
	must(t, unmount(home))
	for _, part := range parts {
		place(t, filepath.Join(Data(home), part, "file"), part+" of b")
	}
	place(t, filepath.Join(home, node.LifeFile), "b")
	must(t, mount(home))
	wantHome(t, home, "b", "b")
}

// After tearTurn, half of a further turn is on the disk, and every earlier turn is still complete.
func TestTearTurn_LeavesATornEnd(t *testing.T) {
	home := t.TempDir()
	dir := filepath.Join(Data(home), node.JournalDir)
	j, err := journal.Create(dir, []journal.Entry{{Data: []byte("vote")}}, journal.Options{SegmentBytes: 64 << 10})
	must(t, err)
	must(t, j.Close())
	must(t, tearTurn(home, 1))
	whole := 0
	r, err := journal.Verify(dir, func(journal.Segment, journal.Entry) error { whole++; return nil })
	if err != nil || whole != 1 || r.TornSectors != 2 {
		t.Errorf("%d whole entries, %+v, %v", whole, r, err)
	}
}
