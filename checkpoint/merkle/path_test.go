package merkle_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"tagma/checkpoint/merkle"
)

func hashed(s string) [32]byte { return sha256.Sum256([]byte(s)) }

// K1: a path proves every key that a tree holds, and the absence of every other one, in trees of all sizes.
func TestPath_ProvesWhatATreeHoldsAndWhatNot(t *testing.T) {
	for _, size := range []int{0, 1, 2, 15, 300} {
		tree := merkle.New()
		for i := range size {
			tree.Set(fmt.Appendf(nil, "k%d", i), fmt.Appendf(nil, "v%d", i))
		}
		snapshot := tree.Snapshot()
		ends := map[merkle.End]int{}
		for i := range 2*size + 40 {
			key, value := hashed(fmt.Sprint("k", i)), new([32]byte)
			if *value = hashed(fmt.Sprint("v", i)); i >= size {
				value = nil
			}
			path, ok := snapshot.Path(key)
			if !ok {
				t.Fatal("no path")
			}
			ends[path.End]++
			if root, err := path.Root(key, value); err != nil || root != snapshot.Root() {
				t.Fatalf("size %d, key %d: root %x, %v", size, i, root, err)
			}
			wrong := hashed("another value")
			if root, err := path.Root(key, &wrong); err == nil && root == snapshot.Root() {
				t.Errorf("size %d, key %d: another value is proven", size, i)
			}
			if root, err := path.Root(key, nil); i < size && err == nil && root == snapshot.Root() {
				t.Errorf("size %d: the absence of key %d is proven", size, i)
			}
			read, rest, err := merkle.ReadPath(path.Append(nil))
			if err != nil || len(rest) > 0 {
				t.Fatalf("%v, %d bytes left", err, len(rest))
			}
			if root, err := read.Root(key, value); err != nil || root != snapshot.Root() {
				t.Errorf("the decoded path leads to %x, %v", root, err)
			}
		}
		if size == 300 && (ends[merkle.Nothing] == 0 || ends[merkle.KeyLeaf] == 0 || ends[merkle.OtherLeaf] == 0) {
			t.Errorf("the keys have the ends %v; every end must be tested", ends)
		}
		snapshot.Release()
		if _, ok := snapshot.Path(hashed("k1")); ok {
			t.Error("a path after Release")
		}
	}
}

// A path that was changed in one bit shows another root, or nothing.
func TestPath_EveryChangedBitShows(t *testing.T) {
	tree := merkle.New()
	for i := range 40 {
		tree.Set(fmt.Appendf(nil, "k%d", i), fmt.Appendf(nil, "v%d", i))
	}
	snapshot := tree.Snapshot()
	defer snapshot.Release()
	for i := range 80 {
		key, value := hashed(fmt.Sprint("k", i)), new([32]byte)
		if *value = hashed(fmt.Sprint("v", i)); i >= 40 {
			value = nil
		}
		path, _ := snapshot.Path(key)
		whole := path.Append(nil)
		for at := range whole {
			for bit := range 8 {
				changed := append([]byte(nil), whole...)
				changed[at] ^= 1 << bit
				p, rest, err := merkle.ReadPath(changed)
				if err != nil || len(rest) > 0 {
					continue
				}
				for _, v := range []*[32]byte{value, nil} {
					if root, err := p.Root(key, v); err == nil && root == snapshot.Root() {
						t.Fatalf("key %d: bit %d of byte %d of %d makes no difference", i, bit, at, len(whole))
					}
				}
			}
		}
	}
}

// The leaf of a key elsewhere in the tree does not prove that another key is absent.
func TestPath_ALeafFromElsewhereProvesNoAbsence(t *testing.T) {
	tree := merkle.New()
	tree.Set([]byte("a"), []byte("1"))
	tree.Set([]byte("b"), []byte("2"))
	snapshot := tree.Snapshot()
	defer snapshot.Release()
	a, b := hashed("a"), hashed("b")
	path, _ := snapshot.Path(b)
	path.End, path.Other = merkle.OtherLeaf, merkle.Leaf{Key: b, Value: hashed("2")}
	for _, key := range [][32]byte{a, b} {
		if root, err := path.Root(key, nil); err == nil && root == snapshot.Root() {
			t.Errorf("the absence of %x is proven", key[:4])
		}
	}
}

func FuzzReadPath(f *testing.F) {
	tree := merkle.New()
	for i := range 20 {
		tree.Set([]byte{byte(i)}, []byte{byte(i)})
	}
	snapshot := tree.Snapshot()
	for i := range 40 {
		path, _ := snapshot.Path(sha256.Sum256([]byte{byte(i)}))
		f.Add(path.Append(nil))
	}
	random := rand.New(rand.NewPCG(1, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, err := merkle.ReadPath(b)
		if err != nil {
			return
		}
		if string(append(p.Append(nil), rest...)) != string(b) {
			t.Errorf("%x is read as %+v", b, p)
		}
		key := sha256.Sum256([]byte{byte(random.IntN(20))})
		if root, err := p.Root(key, nil); err == nil && root == snapshot.Root() {
			t.Errorf("the absence of a key is proven that the tree holds: %+v", p)
		}
	})
}
