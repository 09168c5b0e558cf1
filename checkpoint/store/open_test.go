package store

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"tagma/statemachine"
)

func TestALockedStoreIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := Open(s.dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("opening twice: %v", err)
	}
}

func TestAFileInPlaceOfTheDirectoryIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("opening a file: %v", err)
	}
}

func TestD6_AFullDiskIsAnErrorThatStays(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(1, put("a", "1")))
	engineOf(s).opt.MinFree = math.MaxInt64
	err := s.Write([]statemachine.WriteSet{set(2, put("a", "2"))})
	if !errors.Is(err, ErrDiskFull) {
		t.Fatalf("with no space left: %v", err)
	}
	engineOf(s).opt.MinFree = 0
	if err := s.Write([]statemachine.WriteSet{set(2, put("a", "2"))}); !errors.Is(err, ErrDiskFull) {
		t.Errorf("written after an error: %v", err)
	}
	if _, err := s.Checkpoint(2); !errors.Is(err, ErrDiskFull) {
		t.Errorf("a checkpoint after an error: %v", err)
	}
	if got := get(t, s, 1, "a"); got != "1" {
		t.Errorf("what was written is not readable: %q", got)
	}
}

// While badger reads what a crash left, it would be killed on a disk without room. So the start refuses before, and
// its exit code says that a restart will not help.
func TestD6_AFullDiskIsAnErrorOfTheStart(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(1, put("a", "1")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.dir, Options{MinFree: math.MaxInt64}); !errors.Is(err, ErrDiskFull) || errors.Is(err, ErrDamaged) {
		t.Errorf("with no space left: %v", err)
	}
	again := open(t, s.dir) // nothing is left locked
	load(t, again, 1)
	if got := get(t, again, 1, "a"); got != "1" {
		t.Errorf("what was written is not readable: %q", got)
	}
}

// Closing badger flushes its memory, which would kill the process on a disk without room. The store does not close
// badger then, and a crash at that moment loses nothing that was written.
func TestD6_AStoreOnAFullDiskIsNotFlushed(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(1, put("a", "1")))
	files := storeFiles(t, s.dir)
	engineOf(s).opt.closeFree = math.MaxInt64
	if err := s.Close(); !errors.Is(err, ErrDiskFull) {
		t.Fatalf("closed with no space left: %v", err)
	}
	if after := storeFiles(t, s.dir); !slices.Equal(after, files) {
		t.Errorf("closing with no space left made of %q %q", files, after)
	}
	if _, err := Open(s.dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("opened beside a store that could not be closed: %v", err)
	}
	again := open(t, crashImage(t, s.dir))
	load(t, again, 1)
	if got := get(t, again, 1, "a"); got != "1" {
		t.Errorf("what was written is not readable: %q", got)
	}
	if err := engineOf(s).db.Close(); err != nil { // the lock must be released here, because the test process does not end
		t.Error(err)
	}
}

func storeFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// If badger cannot sync a value log, it returns no error, but writes a message to its log.
func TestD6_AnErrorThatBadgerOnlyLogsStopsWriting(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	engineOf(s).log.Errorf("Error while curlf sync: %v\n", os.ErrInvalid)
	if err := s.Write([]statemachine.WriteSet{set(1, put("a", "1"))}); err == nil {
		t.Error("written after badger logged an error")
	}
}

func TestWriteSetsAreWrittenOnceAndInOrder(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	if err := s.Write([]statemachine.WriteSet{set(2), set(1)}); err == nil {
		t.Error("write sets out of order were taken")
	}
	write(t, s, set(1, put("a", "1")), set(2, put("a", "2")))
	root := checkpoint(t, s, 2)
	write(t, s, set(1, put("a", "1")), set(2, put("a", "2")))
	if checkpoint(t, s, 2) != root {
		t.Error("writing again changed the root")
	}
	if _, err := s.Checkpoint(1); err == nil {
		t.Error("a checkpoint below what is written")
	}
	if checkpoint(t, s, 5) != root || get(t, s, 5, "a") != "2" {
		t.Error("batches without writes changed the state")
	}
}

func TestAnEmptyWriteAheadFileIsNotAnObstacle(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	write(t, s, set(1, put("a", "1")))
	root := checkpoint(t, s, 1)
	dir = crashImage(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "99999.mem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if load(t, open(t, dir), 1) != root {
		t.Error("the root differs")
	}
}

func TestLevelZeroIsDrainedBeforeCompactorsSeeIt(t *testing.T) {
	dir := t.TempDir()
	var root [32]byte
	for n := range uint64(6) {
		db, err := openBadger(badgerOptions(dir, Options{memTable: smallMemTable}, nil).
			WithNumCompactors(0).WithNumLevelZeroTablesStall(100))
		if err != nil {
			t.Fatal(err)
		}
		batch := db.NewManagedWriteBatch()
		e := badger.NewEntry(stored([]byte("a")), []byte("1"))
		if err := errors.Join(batch.SetEntryAt(e, n+1), batch.Flush(), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	before, _, err := precheck(dir)
	if err != nil || before <= maxLevelZero {
		t.Fatalf("%d tables on level 0 (%v): the test shows nothing", before, err)
	}
	s := open(t, dir)
	if n := badgerOf(s).Levels()[0].NumTables; n > maxLevelZero {
		t.Errorf("%d tables on level 0 after Open", n)
	}
	if root = load(t, s, 6); root == load(t, s, 0) || get(t, s, 0, "a") != "-" {
		t.Error("draining lost the state")
	}
}

func TestAClosedStoreAnswersWithAnError(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Write([]statemachine.WriteSet{set(1, put("a", "1"))}); !errors.Is(err, ErrClosed) {
		t.Errorf("Write: %v", err)
	}
	if _, err := s.View(0); !errors.Is(err, ErrClosed) {
		t.Errorf("View: %v", err)
	}
	if _, err := s.Load(0); !errors.Is(err, ErrClosed) {
		t.Errorf("Load: %v", err)
	}
	s.Discard(1)
}
