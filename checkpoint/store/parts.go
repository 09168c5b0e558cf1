package store

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// Badger moves values of 1 MiB and more to a value log. Collecting that log's garbage writes an old version of a key anew,
// above the deletion marker that hides it; once compaction has dropped the marker the deleted key is back. So nothing goes
// there: a long value is cut into parts, each short enough to lie beside its key.
//
// The first part is the value of the key's own entry, whose user byte counts the others; those have entries of their own at
// the same version. A view that sees the entry at some version sees its parts at that version, because a later one it could
// see would have brought a later entry too; or, of what a crash left of a stage, parts of another version with the same
// content: both are the true value at the stage's version (X4), cut at the same places.

// The first byte of every key in badger, which refuses empty keys and keeps some names for itself.
const (
	keyPrefix  = 's'
	partPrefix = 'p' // followed by the number of the part, from 1, and the key
)

func stored(key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+1), keyPrefix), key...)
}

func storedPart(part int, key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+2), partPrefix, byte(part)), key...)
}

// partSize is the length of every part of a long value but the last. Reading does not depend on it, but a store whose part
// size changes must not hold what a crash left of a stage.
func (o Options) partSize() int { return int(o.memTable / 16) }

// content is what is kept in memory of one state.
type content struct {
	tree  *merkle.Tree
	parts map[string]int // keys with a value in several parts: how many beyond the first
}

func newContent() content { return content{tree: merkle.New(), parts: map[string]int{}} }

// add puts one write into the batch, cut into parts of size, and deletes the parts of a longer value that it replaces.
func (c *content) add(batch *badger.WriteBatch, size int, seq uint64, w statemachine.Write) error {
	value, parts := w.Value, 0
	if w.Delete {
		if err := batch.DeleteAt(stored(w.Key), seq); err != nil {
			return err
		}
	} else {
		for rest := value; len(rest) > size; parts++ {
			rest = rest[size:]
		}
		if parts > 255 {
			return fmt.Errorf("its value has %d bytes, more than %d", len(value), 256*size)
		}
		for part := range parts + 1 {
			end := min(len(value), (part+1)*size)
			e := badger.NewEntry(storedPart(part, w.Key), value[part*size:end])
			if part == 0 {
				e = badger.NewEntry(stored(w.Key), value[:end]).WithMeta(byte(parts))
			}
			if err := batch.SetEntryAt(e, seq); err != nil {
				return err
			}
		}
	}
	for part := parts + 1; part <= c.parts[string(w.Key)]; part++ {
		if err := batch.DeleteAt(storedPart(part, w.Key), seq); err != nil {
			return err
		}
	}
	c.setParts(w.Key, parts)
	return nil
}

// setParts remembers how many further parts the newest value of key has. Few keys have any.
func (c *content) setParts(key []byte, parts int) {
	if parts > 0 {
		c.parts[string(key)] = parts
	} else {
		delete(c.parts, string(key))
	}
}

// apply brings the tree up to what was written.
func (c *content) apply(writes []statemachine.Write) {
	for _, w := range writes {
		if w.Delete {
			c.tree.Delete(w.Key)
		} else {
			c.tree.Set(w.Key, w.Value)
		}
	}
}

// readValue appends the whole value of item, as txn sees it, to buf.
func readValue(txn *badger.Txn, item *badger.Item, buf []byte) ([]byte, error) {
	value, err := item.ValueCopy(buf)
	if err != nil {
		return nil, err
	}
	for part := 1; part <= int(item.UserMeta()); part++ {
		more, err := txn.Get(storedPart(part, item.Key()[1:]))
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", part, err)
		}
		err = more.Value(func(bytes []byte) error {
			value = append(value, bytes...)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", part, err)
		}
	}
	return value, nil
}
