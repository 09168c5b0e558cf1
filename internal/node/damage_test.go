package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// image copies a replica's data as a crash would leave them. It copies the state first, so that the copied journal is
// never behind the copied state.
func (b *testbed) image(i int) string {
	b.t.Helper()
	to := b.t.TempDir()
	for _, part := range []string{StateDir, JournalDir} {
		copyDir(b.t, filepath.Join(to, part), filepath.Join(b.home(i), part))
	}
	return to
}

// restore replaces part of what a stopped replica holds by that part of an image.
func (b *testbed) restore(i int, image string, parts ...string) {
	b.t.Helper()
	for _, part := range parts {
		if err := os.RemoveAll(filepath.Join(b.home(i), part)); err != nil {
			b.t.Fatal(err)
		}
		copyDir(b.t, filepath.Join(b.home(i), part), filepath.Join(image, part))
	}
}

func copyDir(t testing.TB, to, from string) {
	t.Helper()
	names, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		data, err := os.ReadFile(filepath.Join(from, n.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // compacted or truncated away meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, n.Name()), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newest returns the last file in a directory with this extension.
func newest(t testing.TB, dir, ending string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+ending))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s in %s: %v", ending, dir, err)
	}
	return slices.Max(names)
}

// edit changes a file's bytes.
func edit(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// used is the length of data without the zeros at its end.
func used(data []byte) int {
	n := len(data)
	for n > 0 && data[n-1] == 0 {
		n--
	}
	return n
}

// damages are the ways in which a crash or a bad disk may damage the store's write-ahead file. older is an earlier
// version of the file.
var damages = []struct {
	name string
	do   func(t testing.TB, dir string, older []byte)
}{
	{"its unsynced tail lost", func(t testing.TB, dir string, older []byte) {
		edit(t, newest(t, dir, ".mem"), func([]byte) []byte { return older })
	}},
	{"a hole in its middle", func(t testing.TB, dir string, _ []byte) {
		edit(t, newest(t, dir, ".mem"), func(b []byte) []byte {
			n := used(b)
			clear(b[n/2 : n/2+min(4096, n/4)])
			return b
		})
	}},
	{"gone", func(t testing.TB, dir string, _ []byte) {
		if err := os.Remove(newest(t, dir, ".mem")); err != nil {
			t.Fatal(err)
		}
	}},
}

// Whatever a crash leaves of the store, the replica rebuilds the state from its journal, if the journal reaches back far
// enough, and then catches up with the others.
func TestD5_ADamagedStoreIsRebuiltFromTheJournal(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(13, 300)
	b.level(4)
	older, err := os.ReadFile(newest(t, filepath.Join(b.home(3), StateDir), ".mem"))
	if err != nil {
		t.Fatal(err)
	}
	l.put(14, 300)
	b.level(4)
	image := b.image(3)
	for _, damage := range damages {
		b.halt(3)
		b.restore(3, image, StateDir, JournalDir)
		damage.do(t, filepath.Join(b.home(3), StateDir), older)
		b.start(3)
		b.level(4)
		t.Logf("the write-ahead file with %s: mended", damage.name)
	}
	b.halt(2) // now the cluster needs the repaired replica
	l.put(10, 300)
	b.level(3)
	l.check(300)
}

// The store lost more than the journal can rebuild, so the replica fetches the state from the others. The journal is
// whole, so the replica has forgotten nothing that it signed.
func TestX1_AStoreThatLostTooMuchIsFetchedFromTheOthers(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	for i := range 4 {
		b.adjust(i, func(s *Settings) { s.SegmentBytes = minSegmentBytes })
	}
	b.startAll()
	l := b.load()
	l.grow(0, 3)
	image := b.image(3)
	damage := func(ending string, change func([]byte) []byte) {
		b.halt(3)
		b.restore(3, image, StateDir, JournalDir)
		edit(t, newest(t, filepath.Join(b.home(3), StateDir), ending), change)
		b.start(3)
		b.level(4)
		b.until("every transfer of replica 3 comes to its end after damage to "+ending, func([]Report) bool {
			v := b.scraped(3)
			return v["tagma_transfers_begun_total"] == v["tagma_transfers_finished_total"]
		})
		if v := b.scraped(3); v["tagma_amnesias_total"] != 0 {
			t.Errorf("%s: %v amnesias", ending, v["tagma_amnesias_total"])
		}
		image = b.image(3)
	}
	for _, lost := range []float64{1, 0.95} {
		damage(".mem", func(data []byte) []byte {
			n := used(data)
			clear(data[n-int(lost*float64(n)):])
			return data
		})
	}
	damage("MANIFEST", func([]byte) []byte { return []byte("rot") })
	b.halt(3)
	for _, part := range []string{StateDir, StateDir + ".aside"} {
		if err := os.RemoveAll(filepath.Join(b.home(3), part)); err != nil {
			t.Fatal(err)
		}
	}
	b.start(3)
	b.level(4)
	if v := b.scraped(3); v["tagma_transfers_finished_total"] == 0 && v["tagma_executed"] == 0 {
		t.Error("the state came from nowhere")
	}
	b.halt(2) // now the cluster needs the repaired replica
	l.put(10, 300)
	b.level(3)
}

// refused opens a replica's home, which must fail. The error must be one line that says what to do.
func (b *testbed) refused(i int, mend string) error {
	b.t.Helper()
	n, err := Open(b.home(i), Options{})
	if err == nil {
		b.t.Error("the replica starts")
		b.nodes[i] = b.run(n)
		b.halt(i)
		return nil
	}
	if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, mend) {
		b.t.Errorf("not one line with %q: %s", mend, text)
	}
	return err
}
