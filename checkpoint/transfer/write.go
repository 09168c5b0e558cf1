package transfer

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

const (
	batchKeys    = 1000
	batchBytes   = 1 << 20
	maxDeletions = 1 << 16
)

// batch collects writes.
type batch struct {
	writes []statemachine.Write
	bytes  int
}

// deletion deletes all own keys below a path, or all but one.
type deletion struct {
	path    Path
	sparing bool
	spared  [32]byte
}

// entry replaces all own keys below a path by one verified entry.
func (r *Receiver) entry(path Path, leaf *merkle.Leaf, e *Entry) {
	r.alone(path, &leaf.Key)
	r.put(leaf, e)
}

// alone deletes all own keys below a path except one.
func (r *Receiver) alone(path Path, key *[32]byte) {
	var buf [maxDepth]byte
	if own, whole := r.own.Leaves(path.nibbles(&buf), 1); !whole || (len(own) == 1 && own[0].Key != *key) {
		r.remove(deletion{path: path, sparing: true, spared: *key})
	}
}

// ownValue reports whether the own tree contains this very leaf.
func (r *Receiver) ownValue(leaf *merkle.Leaf) bool {
	var buf [maxDepth]byte
	own, _ := r.own.Leaves(keyPath(leaf.Key).nibbles(&buf), 1)
	return len(own) == 1 && own[0] == *leaf
}

// put writes a verified entry, unless the stage has it already.
func (r *Receiver) put(leaf *merkle.Leaf, e *Entry) {
	r.progress.Compared++
	r.progress.Fetched++
	if r.ownValue(leaf) {
		return
	}
	// The key and value are copied, because decoded entries share memory with the whole answer.
	r.write(statemachine.Write{Key: bytes.Clone(e.Key), Value: append([]byte{}, e.Value...)})
}

func (r *Receiver) write(w statemachine.Write) {
	r.out.writes = append(r.out.writes, w)
	r.out.bytes += len(w.Key) + len(w.Value)
	if len(r.out.writes) >= batchKeys || r.out.bytes >= batchBytes {
		r.flush()
	}
}

// flush passes the collected writes to the stage, ascending by key.
func (r *Receiver) flush() {
	writes := r.out.writes
	r.out = batch{}
	if len(writes) == 0 || r.err != nil {
		return
	}
	slices.SortFunc(writes, func(a, b statemachine.Write) int { return bytes.Compare(a.Key, b.Key) })
	if err := r.stage.Write(writes); err != nil {
		r.err = fmt.Errorf("write %d transferred keys: %w", len(writes), err)
		return
	}
	for i := range writes {
		if writes[i].Delete {
			r.progress.Deleted++
		} else {
			r.progress.Written++
		}
	}
}

func (r *Receiver) remove(d deletion) {
	r.deletes = append(r.deletes, d)
	if len(r.deletes) >= maxDeletions {
		r.flushDeletes()
	}
}

// flushDeletes finds the keys of the collected deletions by a scan, since only their hashes are known.
func (r *Receiver) flushDeletes() {
	deletes := r.deletes
	r.deletes = nil
	if len(deletes) == 0 || r.err != nil {
		return
	}
	slices.SortFunc(deletes, func(a, b deletion) int { return bytes.Compare(a.path.packed[:], b.path.packed[:]) })
	for key, err := range r.stage.Scan() {
		if err != nil {
			r.err = fmt.Errorf("find the keys that the transferred state lacks: %w", err)
			return
		}
		if hash := sha256.Sum256(key); doomed(deletes, &hash) {
			r.write(statemachine.Write{Key: bytes.Clone(key), Delete: true})
		}
		if r.err != nil {
			return
		}
	}
	r.flush()
}

// doomed reports whether one of the deletions covers the key with this hash. The deletions must be in ascending order
// and must not overlap.
func doomed(deletes []deletion, hash *[32]byte) bool {
	at, found := slices.BinarySearchFunc(deletes, hash, func(d deletion, hash *[32]byte) int {
		return bytes.Compare(d.path.packed[:], hash[:])
	})
	if !found {
		at--
	}
	return at >= 0 && deletes[at].path.holds(hash) && !(deletes[at].sparing && deletes[at].spared == *hash)
}

// finish writes what is left once everything was compared, and checks the resulting root.
func (r *Receiver) finish() {
	r.flush()
	r.flushDeletes()
	r.own.Release()
	if r.err != nil {
		return
	}
	if root := r.stage.Tree().Root(); root != r.root {
		r.err = fmt.Errorf("after the transfer the root is %x, not %x: the store was not what its tree said, so move it "+
			"aside and fill an empty one: %w", root, r.root, ErrDamaged)
		return
	}
	r.done = true
}
