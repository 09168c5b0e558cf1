package journal

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// seen is what the test compares of one file or directory.
type seen struct {
	data     string
	mode     fs.FileMode
	modified time.Time
}

func snapshot(t *testing.T, root string) map[string]seen {
	t.Helper()
	all := map[string]seen{}
	must(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		s := seen{mode: info.Mode(), modified: info.ModTime()}
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			s.data = string(b)
		}
		all[path] = s
		return nil
	}))
	return all
}

// tornJournal is a directory that Open would change in every way it can. It has a torn turn, or its last seal is
// missing, and it has unfinished files.
func tornJournal(t *testing.T, begun bool) string {
	t.Helper()
	dir, j := created(t, small())
	must(t, j.Append([]Entry{{Seq: 1, Data: make([]byte, 600)}}))
	must(t, j.Rotate(anchor()))
	if begun {
		must(t, j.Append([]Entry{{Seq: 2, Data: make([]byte, 600)}}))
		must(t, j.Append([]Entry{{Seq: 3, Data: make([]byte, 600)}}))
	}
	next := j.next
	must(t, j.Close())
	name, at := segmentName(2), (next-1)*sectorBytes
	if !begun {
		name, at = segmentName(1), 15*sectorBytes // the seal
	}
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(zeroSector[:], at)
	must(t, errors.Join(err, f.Close()))
	for _, temp := range []string{spareName, segmentName(3) + tempSuffix} {
		must(t, os.WriteFile(filepath.Join(dir, temp), []byte("unfinished"), 0o600))
	}
	return dir
}

// D8.3: Peek writes nothing, not even the repairs that Open makes, and returns what Open would return.
func TestD8_3_PeekWritesNothing(t *testing.T) {
	for _, begun := range []bool{true, false} {
		dir := tornJournal(t, begun)
		before := snapshot(t, filepath.Dir(dir))
		got, err := Peek(dir, small())
		must(t, err)
		if !maps.Equal(before, snapshot(t, filepath.Dir(dir))) {
			t.Fatal("something was written")
		}
		j, want, err := Open(dir, small())
		must(t, err)
		if !slices.EqualFunc(got, want, equal) {
			t.Fatalf("Peek found %d entries, Open %d, or they differ", len(got), len(want))
		}
		if maps.Equal(before, snapshot(t, filepath.Dir(dir))) {
			t.Fatal("Open had nothing to mend: the test shows nothing")
		}
		if _, err := Peek(dir, small()); !errors.Is(err, ErrInUse) {
			t.Fatal(err)
		}
		must(t, j.Close())
	}
}

// D8.3, D9: Open and Peek return the same error for each state of a directory that a start may find, and if it is an
// error, they change nothing.
func TestD8_3_VerdictsOnADirectory(t *testing.T) {
	emptied := func(dir string) error { return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)) }
	write := func(name string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), nil, 0o600) }
	}
	remove := func(number uint64) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, segmentName(number))) }
	}
	type spoil []func(dir string) error
	for name, c := range map[string]struct {
		spoil spoil
		want  error
	}{
		"no directory":            {spoil{os.RemoveAll}, ErrEmpty},
		"no directory around it":  {spoil{func(dir string) error { return os.RemoveAll(filepath.Dir(dir)) }}, ErrEmpty},
		"empty":                   {spoil{emptied}, ErrEmpty},
		"unfinished files only":   {spoil{emptied, write(spareName), write(segmentName(1) + tempSuffix)}, ErrEmpty},
		"a foreign file only":     {spoil{emptied, write("lost+found")}, ErrForeign},
		"a foreign file beside":   {spoil{write("0000000000000001.segment.old")}, ErrForeign},
		"a gap":                   {spoil{remove(2)}, ErrMissing},
		"no last segment":         {spoil{remove(3)}, ErrMissing},
		"an empty segment behind": {spoil{write(segmentName(4))}, ErrRot},
		"a cut segment": {spoil{func(dir string) error {
			return os.Truncate(filepath.Join(dir, segmentName(3)), 4096)
		}}, ErrRot},
	} {
		t.Run(name, func(t *testing.T) {
			dir, j := created(t, small())
			for range 2 {
				must(t, j.Append([]Entry{{Seq: 1}}))
				must(t, j.Rotate(anchor()))
			}
			must(t, j.Close())
			for _, spoil := range c.spoil {
				must(t, spoil(dir))
			}
			root := filepath.Dir(filepath.Dir(dir))
			before := snapshot(t, root)
			_, _, opened := Open(dir, small())
			_, peeked := Peek(dir, small())
			for _, err := range []error{opened, peeked} {
				if !errors.Is(err, c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v", err)
				}
				for _, other := range []error{ErrEmpty, ErrRot, ErrForeign} {
					if !errors.Is(c.want, other) && errors.Is(err, other) {
						t.Errorf("%v is also: %v", err, other)
					}
				}
			}
			if !maps.Equal(before, snapshot(t, root)) {
				t.Error("a verdict wrote to the disk")
			}
		})
	}
}
