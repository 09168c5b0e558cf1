package store

import (
	"crypto/sha256"
	"fmt"
)

// Load reads everything visible at sequence number at and returns the root over it; at becomes the verified base once the
// caller finds the root equal to the digest in its journal. Otherwise the caller loads the checkpoint before: Load may be
// called again until the first Write or Discard. Sequence number 0 is the empty state.
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
	s.content = newContent() // gives the memory back before as much is taken again
	if s.content, err = s.readContent(at, false); err != nil {
		return root, fmt.Errorf("load the store at %s at sequence number %d: %w", s.dir, at, err)
	}
	s.doubted, s.moved, s.top = false, false, at
	tree := s.tree.Snapshot()
	s.keep(at, tree)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded, s.written, s.floor = true, at, at
	return tree.Root(), nil
}

// readContent reads what is visible at version at. An engine may leave out what it cannot read; the root tells. A long
// value without some of its parts, as half a batch leaves it, is an error, unless the caller is going to mend it: then the
// tree has zeros for the digest of that value, which is no value's.
func (s *Store) readContent(at uint64, mend bool) (c content, err error) {
	defer func() {
		if p := recover(); p != nil {
			c, err = newContent(), fmt.Errorf("%w: badger panicked: %s", ErrDamaged, oneLine("%v", []any{p}))
		}
	}()
	c = newContent()
	snapshot := s.engine.At(at)
	defer snapshot.Discard()
	var buf []byte
	for item := range snapshot.Items(keyPrefix, nil) {
		key := item.Key()[1:]
		var unread error
		buf, unread = readValue(snapshot, item, buf[:0])
		switch {
		case unread == nil:
			c.tree.Set(key, buf)
		case mend:
			c.tree.SetHashed(sha256.Sum256(key), [32]byte{})
		default:
			return newContent(), fmt.Errorf("%w: value of key %.64q: %w", ErrDamaged, key, unread)
		}
		c.setParts(key, int(item.UserMeta()))
	}
	return c, nil
}
