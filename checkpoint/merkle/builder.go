package merkle

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"slices"
)

// Builder makes a tree of many keys in the order of their hashes. So neighbours in the tree are neighbours in memory,
// and later changes touch few pages. While it builds, it needs only the leaves of one bucket in memory besides the
// tree. Every key must be added only once. NewBuilder makes a Builder; the caller ends it with Tree or Close.
type Builder struct {
	memory  Memory
	buckets [256]bucket
	file    *os.File // holds full blocks of leaves; nil if no block was full yet, or the file cannot be made
	end     int64    // length of the file

	inMemory bool // all further leaves stay in memory: Dir has no room for them, or there is no Dir
}

// bucket holds the leaves whose key hashes begin with the same byte.
type bucket struct {
	leaves []Leaf
	blocks []int64 // offsets of its earlier leaves in the file
}

// blockLeaves is how many leaves of a bucket are written at once: 16 KiB, so that all buckets together hold 4 MiB.
const blockLeaves = 256

// NewBuilder returns a Builder of a tree that is kept where m says.
func NewBuilder(m Memory) *Builder { return &Builder{memory: m, inMemory: m.Dir == ""} }

// Add adds a key with its value.
func (b *Builder) Add(key, value []byte) { b.AddHashed(sha256.Sum256(key), sha256.Sum256(value)) }

// AddHashed is Add for a caller that already has the SHA-256 of the key and of the value.
func (b *Builder) AddHashed(key, value [32]byte) {
	to := &b.buckets[key[0]]
	to.leaves = append(to.leaves, Leaf{Key: key, Value: value})
	if !b.inMemory && len(to.leaves) == blockLeaves {
		b.inMemory = !b.spill(to)
	}
}

// spill moves a bucket's leaves to the file. It returns false if there is no room for them, or no file.
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

// Tree returns the tree of everything that was added, and ends the builder.
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
		if i%16 == 15 { // hash each sixteenth of the tree while it is in memory; then the system may take that memory back
			t.Root()
		}
	}
	return t, nil
}

// Close deletes the builder's file.
func (b *Builder) Close() {
	if b.file != nil {
		_ = b.file.Close() // the file has no name, and nothing reads it again
		b.file = nil
	}
}

// nameless opens a new file in dir and removes its name, so that the file disappears with the process. It returns nil
// if that fails.
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
