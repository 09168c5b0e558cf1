package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/dgraph-io/badger/v4"

	"tagma/statemachine"
)

// Store is the replicated state on disk. Open makes one. Write and Checkpoint are called by one goroutine at a time;
// views, Pin, Discard, Size and Close may be used beside them.
type Store struct {
	dir string
	opt Options
	db  *badger.DB
	log *badgerLog

	fresh bool // Open found nothing

	writing sync.Mutex // held by Load, Write, Checkpoint and a stage's Write and Adopt; guards what follows
	content            // of the last sequence number written, or of the newest stage that shares it
	top     uint64     // content holds all versions up to it
	doubted bool       // content may not be what the disk holds
	moved   bool       // a stage that was not adopted has written: content is no longer that of the last sequence number
	wrote   bool

	keeping sync.Mutex // guards what follows; no other lock of the store is taken while it is held
	kept    []keptTree // oldest first

	mu         sync.Mutex // guards what follows
	loaded     bool
	discarding bool // Discard was called: the floor is not merely where Load began
	closed     bool
	failed     error
	written    uint64
	floor      uint64
	maxVersion uint64         // the highest that an entry has
	stage      *Stage         // the open one, or nil
	views      map[uint64]int // open views by sequence number
	reading    sync.WaitGroup // open views, and reads of a stage
}

var _ statemachine.Storage = (*Store)(nil)

// Open opens the store in dir, creating it if there is none. Nothing can be read before Load. Its errors name dir and
// what to do; ErrLocked and ErrDamaged can be told apart with errors.Is.
func Open(dir string, opt Options) (*Store, error) {
	if opt.MinFree == 0 {
		opt.MinFree = defaultMinFree
	}
	if opt.memTable == 0 {
		opt.memTable = defaultMemTable
	}
	s := &Store{
		dir: dir, opt: opt, log: &badgerLog{to: opt.Log}, content: newContent(), views: map[uint64]int{},
	}
	if err := s.open(); err != nil {
		if errors.Is(err, ErrDamaged) {
			return nil, fmt.Errorf("open the store at %s: %w; move it away and start again: "+
				"it is rebuilt from the journal if that reaches back to the first batch", dir, err)
		}
		return nil, fmt.Errorf("open the store at %s: %w", dir, err)
	}
	s.maxVersion = s.db.MaxVersion()
	s.fresh = s.maxVersion == 0
	return s, nil
}

func (s *Store) open() error {
	if info, err := os.Stat(s.dir); err == nil && !info.IsDir() {
		return errors.New("it is not a directory; name another one or move the file away")
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	release, err := lockDir(s.dir)
	if err != nil {
		return err
	}
	levelZero, err := precheck(s.dir)
	if err := errors.Join(err, release()); err != nil {
		return err
	}
	if err := s.checkSpace(0); err != nil { // what a crash left is moved to tables at once, and through memory maps
		return err
	}
	room, err := roomFor(s.dir, s.opt.memTable)
	if err != nil {
		return err
	}
	if levelZero > maxLevelZero || room > s.opt.memTable {
		if err := s.drain(room); err != nil {
			return err
		}
	}
	s.db, err = openBadger(badgerOptions(s.dir, s.opt, s.log))
	if err != nil {
		return err
	}
	if err := s.log.failure(); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrDamaged, err), s.db.Close())
	}
	return nil
}

// drain moves what write-ahead files hold to tables, with memtables of that size, and level 0 down, with the compactors
// off. Close flushes every memtable whatever the number of tables there, so a store closed under load may exceed
// maxLevelZero.
func (s *Store) drain(memTable int64) error {
	opt := s.opt
	opt.memTable = memTable
	db, err := openBadger(badgerOptions(s.dir, opt, s.log).WithNumCompactors(0).WithNumLevelZeroTablesStall(1 << 20))
	if err != nil {
		return err
	}
	return errors.Join(db.Flatten(1), db.Close())
}

// openBadger turns what badger says, or panics with, into an error of ours.
func openBadger(opt badger.Options) (db *badger.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("%w: badger panicked: %s", ErrDamaged, oneLine("%v", []any{p}))
		}
	}()
	db, err = badger.OpenManaged(opt)
	var errno syscall.Errno
	switch {
	case err == nil:
		return db, nil
	case strings.Contains(err.Error(), "Another process is using this Badger database"):
		return nil, ErrLocked
	case errors.As(err, &errno) && errno != syscall.ENOENT:
		return nil, err // The system refused: permissions, space, descriptors.
	}
	return nil, fmt.Errorf("%w: %s", ErrDamaged, oneLine("%v", []any{err}))
}

// MaxVersion returns the highest sequence number of which the store holds anything: what Open found, what was written
// since, and what a stage left; 0 if there is nothing. A store whose maximum at a start lies above the end of its journal
// does not belong to that journal (D8).
func (s *Store) MaxVersion() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.maxVersion
}

// Fresh says that Open found nothing: a new store, or one that lost everything.
func (s *Store) Fresh() bool { return s.fresh }

// fail makes err sticky: nothing is written after it. It returns the first such error.
func (s *Store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
	return s.failed
}

// Close waits for open views and closes badger. The store is durable without it. Closing
// twice is harmless.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.reading.Wait()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the store at %s: %w", s.dir, err)
	}
	return nil
}
