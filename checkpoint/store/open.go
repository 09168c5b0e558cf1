package store

import (
	"errors"
	"fmt"
	"sync"

	"tagma/statemachine"
)

// Store is the replicated state on disk. Open makes one. Write and Checkpoint are called by one goroutine at a time;
// views, Pin, Discard, Size and Close may be used beside them.
type Store struct {
	dir      string // for errors; of a real disk
	engine   Engine
	partSize int  // of a long value
	fresh    bool // nothing was found

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
	disk := &badgerEngine{dir: dir, opt: opt, log: &badgerLog{to: opt.Log}}
	if err := disk.open(); err != nil {
		if errors.Is(err, ErrDamaged) {
			return nil, fmt.Errorf("open the store at %s: %w; move it away and start again: "+
				"it is rebuilt from the journal if that reaches back to the first batch", dir, err)
		}
		return nil, fmt.Errorf("open the store at %s: %w", dir, err)
	}
	return New(dir, disk, opt.partSize()), nil
}

// New returns a store over an engine that is open; dir is its name in errors. Values longer than part are cut into parts of
// that size, at most 256 of them.
func New(dir string, engine Engine, part int) *Store {
	s := &Store{dir: dir, engine: engine, partSize: part, content: newContent(), views: map[uint64]int{}}
	s.maxVersion = engine.MaxVersion()
	s.fresh = s.maxVersion == 0
	return s
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

// Close waits for open views and closes the engine. The store is durable without it. Closing twice is harmless.
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
	if err := s.engine.Close(); err != nil {
		return fmt.Errorf("close the store at %s: %w", s.dir, err)
	}
	return nil
}
