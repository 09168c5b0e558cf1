package store

import (
	"errors"
	"fmt"
	"sync"

	"tagma/statemachine"
)

// Store is the replicated state on disk; Open makes one. Only one goroutine at a time may call Write and Checkpoint;
// views, Pin, Discard, Size and Close may be used concurrently.
type Store struct {
	dir   string  // names the store in errors; on a real disk, its directory
	cut   parting // the parts into which long values are cut
	fresh bool    // Open found no entries

	writing sync.Mutex // held by Load, Write, Checkpoint and a stage's Write and Adopt; guards the fields below
	content            // of the last sequence number written, or of the newest stage that shares it
	top     uint64     // content includes all versions up to this one
	moved   bool       // a stage wrote and was not adopted, so content is no longer that of the last sequence number
	wrote   bool

	*generation             // Adopt changes it, with writing and mu held
	before      *generation // the generation that Adopt replaced, until nobody reads it; guarded by mu

	keeping sync.Mutex // guards kept; no other lock of the store is taken while it is held
	kept    []keptTree // oldest first

	mu         sync.Mutex // guards the fields below
	loaded     bool
	discarding bool // Discard was called, so the floor is not merely where Load began
	closed     bool
	failed     error
	written    uint64
	floor      uint64
	maxVersion uint64         // the highest version of any entry
	stage      *Stage         // the open stage, or nil
	reading    sync.WaitGroup // counts open views, and reads of a stage
}

// generation is one engine of the store, with its open views. When the state is rebuilt, another generation replaces
// it (K2).
type generation struct {
	engine Engine
	views  map[uint64]int // number of open views by sequence number; guarded by Store.mu
}

func newGeneration(engine Engine) *generation {
	return &generation{engine: engine, views: map[uint64]int{}}
}

var _ statemachine.Storage = (*Store)(nil)

// Open opens the store in dir, and creates one if there is none. Nothing can be read before Load. Its errors name dir
// and say what to do; errors.Is distinguishes ErrLocked and ErrDamaged.
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

// New returns a store over an open engine; dir is its name in errors. Values longer than part bytes are cut into parts of
// that size, or into 256 larger ones if that is not enough. If the engine is not on a disk, the tree is kept on the heap.
func New(dir string, engine Engine, part int) *Store {
	return newStore(dir, engine, parting{part, part})
}

func newStore(dir string, engine Engine, cut parting) *Store {
	s := &Store{dir: dir, generation: newGeneration(engine), cut: cut, content: newContent(memoryOf(engine))}
	s.maxVersion = engine.MaxVersion()
	s.fresh = s.maxVersion == 0
	return s
}

// MaxVersion returns the highest sequence number of any entry in the store: of those that Open found, that were written
// since, or that a stage left; 0 if there is none. If it lies above the end of the journal at a start, the store does
// not belong to that journal (D8).
func (s *Store) MaxVersion() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.maxVersion
}

// Fresh reports that Open found nothing: the store is new, or has lost everything.
func (s *Store) Fresh() bool { return s.fresh }

// fail makes err final: nothing is written after it. It returns the first such error.
func (s *Store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
	return s.failed
}

// Close waits until all views are closed, and closes the engine. All data is durable even without Close. If the disk
// has less room than closing needs, it returns ErrDiskFull and leaves the directory locked until the process ends.
// Closing twice is harmless.
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
	if g := s.stage; g != nil && g.next != nil { // the next start removes its files
		if err := g.next.engine.Close(); err != nil {
			return fmt.Errorf("close the next generation of the store at %s: %w", s.dir, err)
		}
	}
	if err := s.engine.Close(); err != nil {
		return fmt.Errorf("close the store at %s: %w", s.dir, err)
	}
	return nil
}
