package store

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// Load reads everything visible at sequence number at and returns the root over it; at becomes the verified base once the
// caller finds the root equal to the digest in its journal. Otherwise the caller loads the checkpoint before: Load may be
// called again until the first Write or Discard. Sequence number 0 is the empty state.
func (s *Store) Load(at uint64) (root [32]byte, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	closed, used := s.closed, s.wrote || s.discarding
	if !used {
		s.loaded = false
	}
	s.mu.Unlock()
	switch {
	case closed:
		return root, ErrClosed
	case used:
		return root, fmt.Errorf("load the store at %s at sequence number %d: it is in use since the last load", s.dir, at)
	}
	if err := s.buildTree(at); err != nil {
		return root, fmt.Errorf("load the store at %s at sequence number %d: %w", s.dir, at, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded, s.written, s.floor = true, at, at
	return s.tree.Root(), nil
}

// buildTree fills the tree with what a read at version at sees. Badger's iterators skip what they cannot read without a
// word; the root tells.
func (s *Store) buildTree(at uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: badger panicked: %s", ErrDamaged, oneLine("%v", []any{p}))
		}
	}()
	s.tree.Reset()
	clear(s.parts)
	txn := s.db.NewTransactionAt(at, false)
	defer txn.Discard()
	it := txn.NewIterator(iteratorOptions())
	defer it.Close()
	var buf []byte
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		key := item.Key()[1:]
		if buf, err = readValue(txn, item, buf[:0]); err != nil {
			return fmt.Errorf("%w: value of key %.64q: %w", ErrDamaged, key, err)
		}
		s.tree.Set(key, buf)
		s.setParts(key, int(item.UserMeta()))
	}
	return nil
}

// iteratorOptions read values one by one: they lie beside their keys, and prefetching would start a goroutine for each.
func iteratorOptions() badger.IteratorOptions {
	opt := badger.DefaultIteratorOptions
	opt.PrefetchValues = false
	opt.Prefix = []byte{keyPrefix}
	return opt
}
