package store

import (
	"errors"
	"fmt"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// Badger moves values of 1 MiB and more to a value log. Collecting that log's garbage writes an old version of a key
// again, above the deletion marker that hides it; once compaction drops the marker, the deleted key is back. So
// nothing may go to that log: a long value is cut into parts, each short enough to be stored beside its key.
//
// The first part is the value of the key's own entry, whose user byte counts the other parts. Those have entries of
// their own at the same version. A view that sees some version of the entry also sees the parts of that version,
// because a part is always written together with its entry. The only exception is what a crash left of a stage: there
// a part may have another version than the entry. Its content is right nevertheless, because both versions are the
// true value at the stage's version (X4), cut at the same places.

// The first byte of every key in badger. It is needed because badger refuses empty keys and reserves some names for
// itself.
const (
	keyPrefix  = 's'
	partPrefix = 'p' // followed by the number of the part, from 1, and by the key
)

func stored(key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+1), keyPrefix), key...)
}

func storedPart(part int, key []byte) []byte {
	return append(append(make([]byte, 0, len(key)+2), partPrefix, byte(part)), key...)
}

// parting says into which parts long values are cut: parts of the usual length, or longer ones if 256 of that length are not
// enough. Reading does not depend on it. But it may change only while the store holds nothing of a stage that a crash ended.
type parting struct{ usual, most int }

func (o Options) parting() parting {
	most := int(o.memTable / 16)
	return parting{min(partBytes, most), most}
}

// size is the length of every part of a value of n bytes, except the last one.
func (p parting) size(n int) int { return max(p.usual, (n+maxParts-1)/maxParts) }

// maxParts is how many parts a value may have: the user byte counts those after the first.
const maxParts = 256

// content is what is kept in memory about one state.
type content struct {
	tree  *merkle.Tree
	parts map[string]int // for keys whose value has several parts: how many after the first
}

func newContent(m merkle.Memory) content {
	return content{tree: merkle.NewIn(m), parts: map[string]int{}}
}

// add appends the entries of one write: its value in parts, and deletions of the parts of a longer former value that it
// no longer has.
func (c *content) add(entries []Entry, cut parting, seq uint64, w statemachine.Write) ([]Entry, error) {
	parts := 0
	if w.Delete {
		entries = append(entries, Entry{Key: stored(w.Key), Version: seq, Delete: true})
	} else {
		size := cut.size(len(w.Value))
		if size > cut.most {
			return nil, fmt.Errorf("its value has %d bytes, more than %d", len(w.Value), maxParts*cut.most)
		}
		parts = max(len(w.Value)-1, 0) / size
		entries = append(entries, Entry{Key: stored(w.Key), Value: w.Value[:min(len(w.Value), size)], Version: seq, Meta: byte(parts)})
		for part := 1; part <= parts; part++ {
			value := w.Value[part*size : min(len(w.Value), (part+1)*size)]
			entries = append(entries, Entry{Key: storedPart(part, w.Key), Value: value, Version: seq})
		}
	}
	for part := parts + 1; part <= c.parts[string(w.Key)]; part++ {
		entries = append(entries, Entry{Key: storedPart(part, w.Key), Version: seq, Delete: true})
	}
	c.setParts(w.Key, parts)
	return entries, nil
}

// setParts remembers how many parts after the first the newest value of key has. Few keys have any.
func (c *content) setParts(key []byte, parts int) {
	if parts > 0 {
		c.parts[string(key)] = parts
	} else {
		delete(c.parts, string(key))
	}
}

// apply updates the tree with the writes.
func (c *content) apply(writes []statemachine.Write) {
	for _, w := range writes {
		if w.Delete {
			c.tree.Delete(w.Key)
		} else {
			c.tree.Set(w.Key, w.Value)
		}
	}
}

// readValue returns the whole value of item, as the snapshot sees it. It uses buf if that is long enough.
func readValue(from Snapshot, item Item, buf []byte) ([]byte, error) {
	value, err := item.ValueCopy(buf)
	if err != nil {
		return nil, err
	}
	key := item.Key()[1:]
	for part := 1; part <= int(item.UserMeta()); part++ {
		more, err := from.Get(storedPart(part, key))
		if err == nil && more == nil {
			err = errMissing
		}
		var bytes []byte
		if err == nil {
			bytes, err = more.ValueCopy(nil)
		}
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", part, err)
		}
		value = append(value, bytes...)
	}
	return value, nil
}

var errMissing = errors.New("it is missing")
