package transfer

import (
	"crypto/sha256"
	"fmt"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// SourceOptions bound what a source uses. A zero field stands for its default.
type SourceOptions struct {
	// IndexBytes is the memory of the index from key hashes to keys: default 256 MiB, at least 256 KiB and at most 4 GiB.
	// Each key takes 13 bytes and its own length. A state that needs more is indexed in windows, each of which costs a scan.
	IndexBytes int
}

const (
	// readLimit bounds the cost of what one answer reads: the bytes of the values, and readCost for each value. The
	// last value may exceed the limit.
	readLimit = 4 << 20
	readCost  = 256
)

// Source answers queries for the state after one sequence number. Only one goroutine at a time may use it.
type Source struct {
	tree   *merkle.Snapshot
	view   statemachine.StorageView
	index  *index
	closed bool

	// The value of the entry that was last sent in pieces, because the next query most likely asks for more of it.
	longKey   [32]byte
	longValue []byte

	prefix func(digest *[32]byte) uint16
}

// NewSource returns a source for a tree and the view of the entries from which the tree was built. The source owns
// both, and its Close releases them. It must be prepared before it answers.
func NewSource(tree *merkle.Snapshot, view statemachine.StorageView, opt SourceOptions) *Source {
	if opt.IndexBytes <= 0 {
		opt.IndexBytes = 256 << 20
	}
	return &Source{
		tree: tree, view: view, index: newIndex(view, tree.Len(), opt.IndexBytes), prefix: prefixOfDigest,
	}
}

// prefixOfDigest returns the two bytes by which a query describes a child that the receiver has.
func prefixOfDigest(digest *[32]byte) uint16 { return uint16(digest[0])<<8 | uint16(digest[1]) }

// Prepare does one step of the work before the first answer: it scans or sorts about most keys. Only the first step of
// sorting passes over all keys at once. After most errors the source is of no more use; after a failed read Prepare may
// be called again.
func (s *Source) Prepare(most int) (ready bool, err error) {
	if s.closed {
		return false, ErrClosed
	}
	if !s.index.ready {
		err = s.index.prepare(most)
	}
	return s.index.ready, err
}

// Size returns the bytes of memory that the source takes in addition to its tree and view.
func (s *Source) Size() int { return s.index.size() + len(s.longValue) }

// Close releases the tree's snapshot and closes the view. It may be called more than once.
func (s *Source) Close() {
	if !s.closed {
		s.closed = true
		s.tree.Release()
		s.view.Close()
		s.index, s.longValue = &index{}, nil
	}
}

// Answer returns the answer to an encoded query. ErrMalformed says that the receiver is faulty. ErrNotReady says that
// Prepare must be called until it is ready, and then Answer again with the same query. After ErrWorn or ErrDamaged the
// source is of no more use.
func (s *Source) Answer(query []byte) ([]byte, error) {
	if s.closed {
		return nil, ErrClosed
	}
	q, err := DecodeQuery(query)
	if err != nil {
		return nil, fmt.Errorf("answer a query: %w", err)
	}
	if !s.index.ready {
		return nil, ErrNotReady
	}
	a := reply{Source: s, out: appendAnswerHead(nil, q.ID, len(q.Items)), left: readLimit}
	for i := range q.Items {
		rest := len(q.Items) - 1 - i
		a.first, a.room = i == 0, MaxAnswer-rest // each item that this answer does not reach takes one byte
		reached, err := a.answer(&q.Items[i])
		if err != nil {
			return nil, err
		}
		if !reached {
			for range rest + 1 {
				a.out = append(a.out, byte(IsLater))
			}
			break
		}
	}
	return a.out, nil
}

// read returns the entry of a leaf within the index's window. It checks the value, so that the donor notices a damaged
// disk itself, and the receiver does not take the donor for a liar.
func (s *Source) read(leaf *merkle.Leaf) (Entry, error) {
	key, found := s.index.find(&leaf.Key)
	if !found {
		return Entry{}, fmt.Errorf("look up the key with hash %x: %w", leaf.Key, ErrDamaged)
	}
	if s.longValue != nil && s.longKey == leaf.Key {
		return Entry{Key: key, Value: s.longValue}, nil
	}
	value, found, err := s.view.Get(key)
	if err != nil {
		return Entry{}, fmt.Errorf("read an entry for a transfer: %w", err)
	}
	if !found || sha256.Sum256(value) != leaf.Value {
		return Entry{}, fmt.Errorf("read the value of key %.64q: %w", key, ErrDamaged)
	}
	if len(key)+len(value) > MaxEntry {
		s.longKey, s.longValue = leaf.Key, value
	}
	return Entry{Key: key, Value: value}, nil
}
