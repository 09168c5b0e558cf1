package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func small() Options { return Options{SegmentBytes: 16 * sectorBytes} }

func created(t testing.TB, opt Options) (string, *Journal) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home", "journal")
	j, err := Create(dir, anchor(), opt)
	must(t, err)
	t.Cleanup(func() { _ = j.Close() }) // closed by most tests already
	return dir, j
}

func equal(a, b Entry) bool { return a.Seq == b.Seq && bytes.Equal(a.Data, b.Data) }

// D9: a start returns all entries, of every size, in order, including the anchors of all retained segments.
func TestD9_EntriesComeBackInOrder(t *testing.T) {
	dir, j := created(t, small())
	want := anchor()
	for size := range 600 {
		turn := []Entry{{Seq: uint64(size), Data: bytes.Repeat([]byte{byte(size)}, size)}, {Seq: 1}}
		if err := j.Append(turn); errors.Is(err, ErrFull) {
			must(t, j.Rotate(anchor()))
			want = append(want, anchor()...)
			must(t, j.Append(turn))
		} else {
			must(t, err)
		}
		want = append(want, turn...)
	}
	segments := j.Segments()
	must(t, j.Close())
	j, got, err := Open(dir, small())
	must(t, err)
	if !slices.EqualFunc(got, want, equal) {
		t.Fatalf("%d entries came back, %d were written, or they differ", len(got), len(want))
	}
	if !slices.Equal(j.Segments(), segments) {
		t.Fatal("the segments are described otherwise after a start")
	}
	must(t, j.Close())
}

// Append returns ErrFull for a turn larger than the segment, and writes nothing. After Rotate the new segment is
// large enough for it.
func TestErrFullThenRotateThenItFits(t *testing.T) {
	dir, j := created(t, small())
	big := []Entry{{Seq: 1, Data: make([]byte, 100*sectorBytes)}}
	for range 3 {
		if err := j.Append(big); !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		must(t, j.Rotate(anchor()))
		must(t, j.Append(big))
	}
	must(t, j.Rotate([]Entry{{Data: make([]byte, 50*sectorBytes)}}))
	must(t, j.Append([]Entry{{Seq: 9}}))
	must(t, j.Close())
	_, got, err := Open(dir, small())
	must(t, err)
	if want := 4*len(anchor()) + 3 + 1 + 1; len(got) != want {
		t.Fatalf("%d entries, want %d", len(got), want)
	}
}

// D9: Truncate deletes the oldest segments as long as all their entries may be deleted. It never deletes the current
// segment.
func TestD9_TruncateKeepsWhatIsAboveAndTheCurrentSegment(t *testing.T) {
	dir, j := created(t, small())
	for seq := uint64(1); seq <= 5; seq++ {
		must(t, j.Append([]Entry{{Seq: seq * 10}, {Seq: seq}}))
		must(t, j.Rotate(anchor()))
	}
	must(t, j.Append([]Entry{{Seq: 60}}))
	for _, step := range []struct {
		below     uint64
		gone, now int
	}{{9, 0, 6}, {10, 1, 5}, {39, 2, 3}, {1000, 2, 1}, {1000, 0, 1}} {
		removed, err := j.Truncate(step.below)
		must(t, err)
		if removed != step.gone || len(j.Segments()) != step.now {
			t.Fatalf("below %d: removed %d, %d left", step.below, removed, len(j.Segments()))
		}
	}
	must(t, j.Close())
	_, got, err := Open(dir, small())
	must(t, err)
	if last := got[len(got)-1]; last.Seq != 60 || len(got) != len(anchor())+1 {
		t.Fatalf("%d entries, the last with Seq %d", len(got), last.Seq)
	}
}

func TestNeedsRotationBeforeTheSegmentIsFull(t *testing.T) {
	_, j := created(t, Options{SegmentBytes: 64 * sectorBytes})
	for n := 0; ; n++ {
		needs := j.NeedsRotation()
		err := j.Append([]Entry{{Seq: 1}})
		if err == nil && needs {
			break
		}
		if err != nil {
			t.Fatalf("full after %d turns without a warning: %v", n, err)
		}
	}
}

// D8: if a file is missing, foreign or already there, the error is one line that names the file.
func TestD8_DirectoryProblemsAreOneClearLine(t *testing.T) {
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		want  error
		names string
	}{
		{"middle segment", remove(segmentName(2)), ErrMissing, segmentName(2)},
		{"last segment", remove(segmentName(3)), ErrMissing, segmentName(3)},
		{"directory", os.RemoveAll, ErrEmpty, "journal"},
		{"foreign file", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600)
		}, ErrForeign, "notes.txt"},
		{"cut file", func(dir string) error {
			return os.Truncate(filepath.Join(dir, segmentName(2)), 1000)
		}, ErrRot, segmentName(2)},
		{"everything in it", func(dir string) error {
			return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700))
		}, ErrEmpty, "journal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, j := created(t, small())
			for range 2 {
				must(t, j.Append([]Entry{{Seq: 1}}))
				must(t, j.Rotate(anchor()))
			}
			must(t, j.Close())
			must(t, c.spoil(dir))
			_, _, err := Open(dir, small())
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.names) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v", err)
			}
			if !errors.Is(c.want, ErrEmpty) && errors.Is(err, ErrEmpty) {
				t.Fatal("a lost segment looks like a first start")
			}
		})
	}
}

func TestCreateRefusesADirectoryInUse(t *testing.T) {
	dir, j := created(t, small())
	if _, err := Create(dir, nil, small()); !errors.Is(err, ErrInUse) {
		t.Fatal(err)
	}
	must(t, j.Close())
	if _, err := Create(dir, nil, small()); !errors.Is(err, ErrExists) {
		t.Fatal(err)
	}
	must(t, os.Remove(filepath.Join(dir, segmentName(1))))
	must(t, os.WriteFile(filepath.Join(dir, "x"), nil, 0o600))
	if _, err := Create(dir, nil, small()); !errors.Is(err, ErrForeign) {
		t.Fatal(err)
	}
}

func TestAClosedJournalRefuses(t *testing.T) {
	_, j := created(t, small())
	must(t, j.Close())
	_, truncated := j.Truncate(1)
	for _, err := range []error{j.Append([]Entry{{}}), j.Rotate(nil), truncated} {
		if !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	must(t, j.Close())
}

// Verify finds no fault in the journal at any moment while the owner works, and Preallocate may run at the same time
// as all other calls.
func TestVerifyAndPreallocateBesideTheOwner(t *testing.T) {
	dir, j := created(t, small())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := j.Preallocate(); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Go(func() {
		defer close(stop)
		for range 20 {
			if _, err := Verify(dir, func(Segment, Entry) error { return nil }); err != nil {
				t.Error(err)
			}
		}
	})
	for seq := uint64(1); ; seq++ {
		select {
		case <-stop:
			wg.Wait()
			return
		default:
		}
		err := j.Append([]Entry{{Seq: seq, Data: make([]byte, 700)}})
		if errors.Is(err, ErrFull) {
			err = j.Rotate(anchor())
			if _, e := j.Truncate(seq - min(seq, 40)); e != nil {
				t.Error(e)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// An append allocates nothing once its buffer has grown.
func TestAppendDoesNotAllocate(t *testing.T) {
	_, j := created(t, Options{SegmentBytes: 1 << 20})
	turn := make([]Entry, 64)
	for i := range turn {
		turn[i] = Entry{Seq: 1, Data: make([]byte, 133)}
	}
	if n := testing.AllocsPerRun(20, func() { must(t, j.Append(turn)) }); n > 0 {
		t.Fatalf("%v allocations a turn", n)
	}
}
