package merkle

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

const (
	frozenEmpty    = "ede2b7aa1dfd77e231985d85ee3ed9a5bbdc6b34879ff8462b06273165217406"
	frozenThousand = "febefe6aa24df1370fa5a573d2f407cbae12849f8b982f5f63f3f073e53a5e7d"
)

func sum256(parts ...[]byte) [32]byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return sha256.Sum256(all)
}

func build(keys int) *Tree {
	tree := New()
	for i := range keys {
		setNumber(tree, i, 0)
	}
	return tree
}

func setNumber(tree *Tree, i, version int) {
	var key [8]byte
	var value [100]byte
	binary.BigEndian.PutUint64(key[:], uint64(i))
	binary.BigEndian.PutUint64(value[:], uint64(version))
	tree.Set(key[:], value[:])
}

func BenchmarkBuildMillion(b *testing.B) {
	for b.Loop() {
		build(1_000_000).Root()
	}
}

func BenchmarkTenThousandChangedOfMillion(b *testing.B) {
	tree := build(1_000_000)
	tree.Root()
	version := 0
	for b.Loop() {
		version++
		for i := range 10_000 {
			setNumber(tree, (i*99_991+version)%1_000_000, version)
		}
		tree.Root()
	}
}

// As in a replica, a snapshot is taken at every checkpoint, and three snapshots are kept.
func BenchmarkTenThousandChangedOfMillionWithSnapshots(b *testing.B) {
	tree := build(1_000_000)
	var kept []*Snapshot
	version := 0
	for b.Loop() {
		version++
		for i := range 10_000 {
			setNumber(tree, (i*99_991+version)%1_000_000, version)
		}
		if kept = append(kept, tree.Snapshot()); len(kept) > 3 {
			kept[0].Release()
			kept = kept[1:]
		}
	}
}
