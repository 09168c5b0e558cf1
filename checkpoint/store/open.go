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
	dir   string  // for errors; of a real disk
	cut   parting // of long values
	fresh bool    // nothing was found

	writing sync.Mutex // held by Load, Write, Checkpoint and a stage's Write and Adopt; guards what follows
	content            // of the last sequence number written, or of the newest stage that shares it
	top     uint64     // content holds all versions up to it
	moved   bool       // a stage that was not adopted has written: content is no longer that of the last sequence number
	wrote   bool

	*generation             // changed by Adopt, with writing and mu held
	before      *generation // that it has replaced, until nobody reads it; mu guards it

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
	reading    sync.WaitGroup // open views, and reads of a stage
}

// generation is an engine with its readers. Another one takes its place when the state is taken in anew (K2).
type generation struct {
	engine Engine
	views  map[uint64]int // open views by sequence number; Store.mu guards them
}

func newGeneration(engine Engine) *generation {
	return &generation{engine: engine, views: map[uint64]int{}}
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
	if opt.closeFree == 0 {
		opt.closeFree = defaultCloseFree
	}
	if opt.TreeHeap == 0 {
		opt.TreeHeap = defaultTreeHeap
	}
	disk := &badgerEngine{dir: dir, opt: opt, log: &badgerLog{to: opt.Log}}
	if err := disk.open(); err != nil {
		if errors.Is(err, ErrDamaged) {
			return nil, fmt.Errorf("open the store at %s: %w; move it away and start again: "+
				"it is rebuilt from the journal if that reaches back to the first batch", dir, err)
		}
		return nil, fmt.Errorf("open the store at %s: %w", dir, err)
	}
	return newStore(dir, disk, opt.parting()), nil
}

// New returns a store over an engine that is open; dir is its name in errors. Values longer than part are cut into parts of
// that size, at most 256 of them. The tree of an engine that is not on a disk lies on the heap.
func New(dir string, engine Engine, part int) *Store {
	return newStore(dir, engine, parting{part, part})
}

func newStore(dir string, engine Engine, cut parting) *Store {
	s := &Store{dir: dir, generation: newGeneration(engine), cut: cut, content: newContent(memoryOf(engine))}
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

// Close waits for open views and closes the engine. The store is durable without it. On a disk without the room that closing
// takes it returns ErrDiskFull and leaves the directory locked until the process ends. Closing twice is harmless.
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
	if g := s.stage; g != nil && g.next != nil { // the next start removes it
		if err := g.next.engine.Close(); err != nil {
			return fmt.Errorf("close the next generation of the store at %s: %w", s.dir, err)
		}
	}
	if err := s.engine.Close(); err != nil {
		return fmt.Errorf("close the store at %s: %w", s.dir, err)
	}
	return nil
}
