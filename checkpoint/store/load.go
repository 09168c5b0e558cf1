package store

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"tagma/checkpoint/merkle"
)

// Load reads everything visible at sequence number at and returns the root over it. If the root equals the digest in
// the caller's journal, at is the verified base. If not, the caller loads the checkpoint before: Load may be called
// again until the first Write or Discard. Sequence number 0 is the empty state.
func (s *Store) Load(at uint64) (root [32]byte, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	closed, used, staging := s.closed, s.wrote || s.discarding, s.stage != nil
	if !used && !staging {
		s.loaded = false
	}
	s.mu.Unlock()
	switch {
	case closed:
		return root, ErrClosed
	case staging:
		return root, fmt.Errorf("load the store at %s at sequence number %d: %w", s.dir, at, ErrStaging)
	case used:
		return root, fmt.Errorf("load the store at %s at sequence number %d: it is in use since the last load", s.dir, at)
	}
	s.keepNone()
	s.content = newContent(memoryOf(s.engine)) // release the old tree's memory before the new one needs as much
	if s.content, err = readContent(s.engine, at, false); err != nil {
		return root, fmt.Errorf("load the store at %s at sequence number %d: %w", s.dir, at, err)
	}
	s.moved, s.top = false, at
	tree := s.tree.Snapshot()
	s.keep(at, tree)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded, s.written, s.floor = true, at, at
	return tree.Root(), nil
}

// readContent reads what is visible at version at. An engine may leave out entries that it cannot read; the root then
// differs. A long value may lack some of its parts, for example if a crash left half a batch. That is an error,
// unless the caller will repair the value. In that case the digest of the value in the tree is zero, which is the
// digest of no value. If the error is ErrDamaged, readContent also returns what it could read.
func readContent(from Engine, at uint64, mend bool) (content, error) {
	memory := memoryOf(from)
	build := merkle.NewBuilder(memory)
	defer build.Close()
	c := content{parts: map[string]int{}}
	unread := c.read(build, from, at, mend)
	if unread != nil && !errors.Is(unread, ErrDamaged) {
		return newContent(memory), unread
	}
	var err error
	if c.tree, err = build.Tree(); err != nil {
		return newContent(memory), err
	}
	return c, unread
}

// read adds every visible entry to the tree that is being built.
func (c *content) read(build *merkle.Builder, from Engine, at uint64, mend bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: badger panicked: %s", ErrDamaged, oneLine("%v", []any{p}))
		}
	}()
	snapshot := from.At(at)
	defer snapshot.Discard()
	var buf []byte
	for item := range snapshot.Items(keyPrefix, nil) {
		key := item.Key()[1:]
		var unread error
		buf, unread = readValue(snapshot, item, buf[:0])
		switch {
		case unread == nil:
			build.Add(key, buf)
		case mend:
			build.AddHashed(sha256.Sum256(key), [32]byte{})
		default:
			return fmt.Errorf("%w: value of key %.64q: %w", ErrDamaged, key, unread)
		}
		c.setParts(key, int(item.UserMeta()))
	}
	return nil
}

// memoryOf says where the tree over an engine's entries is kept: for an engine on a disk, partly in a file beside it;
// for any other, on the heap.
func memoryOf(e Engine) merkle.Memory {
	if disk, is := e.(*badgerEngine); is {
		return merkle.Memory{
			Heap: disk.opt.TreeHeap, Dir: disk.dir, Room: func(n int64) bool { return disk.checkSpace(n) == nil },
		}
	}
	return merkle.Memory{}
}
