package merkle

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
)

// Builder makes a tree of many keys in the order of their hashes. So neighbours in the tree are neighbours in memory: what
// changes later touches few pages, and building needs no more than one bucket of leaves beside the tree. Every key is added
// once. Create it with NewBuilder; either Tree or Close ends it.
type Builder struct {
	memory  Memory
	buckets [256]bucket
	file    *os.File // where full blocks lie, nil: none was full yet, or it cannot be made
	end     int64    // of the file

	inMemory bool // all further leaves stay there: there is no room for them in Dir, or no Dir
}

// bucket holds the leaves whose key hashes begin with one byte.
type bucket struct {
	leaves []Leaf
	blocks []int64 // where earlier ones lie in the file
}

// blockLeaves is how many leaves of a bucket are written at once: 16 KiB, so that all buckets hold 4 MiB.
const blockLeaves = 256

// NewBuilder returns one for a tree in that memory.
func NewBuilder(m Memory) *Builder { return &Builder{memory: m, inMemory: m.Dir == ""} }

// Add adds a key by its value.
func (b *Builder) Add(key, value []byte) { b.AddHashed(sha256.Sum256(key), sha256.Sum256(value)) }

// AddHashed is Add for a caller that holds SHA-256 of the key and of the value already.
func (b *Builder) AddHashed(key, value [32]byte) {
	to := &b.buckets[key[0]]
	to.leaves = append(to.leaves, Leaf{Key: key, Value: value})
	if !b.inMemory && len(to.leaves) == blockLeaves {
		b.inMemory = !b.spill(to)
	}
}

// spill moves a bucket's leaves to the file. It reports false if there is no room for them, or no file.
func (b *Builder) spill(from *bucket) bool {
	block := make([]byte, 0, blockLeaves*64)
	if b.memory.Room != nil && !b.memory.Room(int64(cap(block))) {
		return false
	}
	if b.file == nil {
		if b.file = nameless(b.memory.Dir); b.file == nil {
			return false
		}
	}
	for i := range from.leaves {
		block = append(append(block, from.leaves[i].Key[:]...), from.leaves[i].Value[:]...)
	}
	if _, err := b.file.WriteAt(block, b.end); err != nil {
		return false
	}
	from.blocks = append(from.blocks, b.end)
	b.end += int64(len(block))
	from.leaves = from.leaves[:0]
	return true
}

// Tree returns the tree over all that was added, and ends the builder.
func (b *Builder) Tree() (*Tree, error) {
	defer b.Close()
	t := NewIn(b.memory)
	block := make([]byte, blockLeaves*64)
	for i := range b.buckets {
		from := &b.buckets[i]
		leaves := from.leaves
		for _, at := range from.blocks {
			if _, err := io.ReadFull(io.NewSectionReader(b.file, at, int64(len(block))), block); err != nil {
				return nil, fmt.Errorf("build the tree: %w", err)
			}
			for j := 0; j < len(block); j += 64 {
				leaves = append(leaves, Leaf{Key: [32]byte(block[j:]), Value: [32]byte(block[j+32:])})
			}
		}
		slices.SortFunc(leaves, func(x, y Leaf) int { return bytes.Compare(x.Key[:], y.Key[:]) })
		for j := range leaves {
			t.SetHashed(leaves[j].Key, leaves[j].Value)
		}
		*from = bucket{}
		if i%16 == 15 { // a sixteenth of the tree is hashed while it is near, and let go
			t.Root()
		}
	}
	return t, nil
}

// Close gives the builder's file back.
func (b *Builder) Close() {
	if b.file != nil {
		_ = b.file.Close() // it has no name and nobody reads it again
		b.file = nil
	}
}

// nameless opens a new file in dir that has no name any more: it goes with the process. It is nil if there can be none.
func nameless(dir string) *os.File {
	file, err := os.CreateTemp(dir, "tree-*")
	if err != nil {
		return nil
	}
	if os.Remove(file.Name()) != nil {
		_ = file.Close() // nothing was written
		return nil
	}
	return file
}
