package merkle

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"
)

// nibbles returns the first n nibbles of key.
func nibbles(key [32]byte, n int) (path []byte) {
	for i := range n {
		path = append(path, nibble(&key, i))
	}
	return path
}

func randomTree(seed uint64, keys int) (*Tree, []Leaf) {
	r := rand.New(rand.NewPCG(seed, 4))
	tree := New()
	for tree.Len() < keys {
		tree.SetHashed(hashedKey(r), [32]byte{byte(r.IntN(9))})
	}
	leaves, _ := tree.Leaves(nil, keys)
	return tree, leaves
}

func TestX3_LeavesAreThoseBelowThePath(t *testing.T) {
	for seed := range uint64(6) {
		tree, all := randomTree(seed, 60)
		snap := tree.Snapshot()
		if len(all) != 60 || !slices.IsSortedFunc(all, func(a, b Leaf) int { return bytes.Compare(a.Key[:], b.Key[:]) }) {
			t.Fatalf("%d leaves, or out of order", len(all))
		}
		for _, l := range all {
			for n := range maxDepth + 1 {
				path := nibbles(l.Key, n)
				var want []Leaf
				for _, other := range all {
					if bytes.Equal(nibbles(other.Key, n), path) {
						want = append(want, other)
					}
				}
				got, whole := snap.Leaves(path, len(want))
				if current, ok := tree.Leaves(path, len(want)); !whole || !ok || !slices.Equal(got, want) || !slices.Equal(current, want) {
					t.Fatalf("below %x: %d leaves, want %d", path, len(got), len(want))
				}
				if got, whole := snap.Leaves(path, len(want)-1); whole || got != nil {
					t.Fatalf("below %x: %d of %d leaves pass for all", path, len(got), len(want))
				}
			}
		}
	}
}

func TestX3_APathFromAnywhereIsHarmless(t *testing.T) {
	tree, all := randomTree(1, 50)
	snap := tree.Snapshot()
	whole := nibbles(all[0].Key, maxDepth)
	for _, path := range [][]byte{{16}, {255, 1}, append(whole, 0), make([]byte, 1000), append(nibbles(all[0].Key, 20), 99)} {
		if _, ok := snap.Node(path); ok {
			t.Errorf("there is a node at %x", path)
		}
		if leaves, ok := snap.Leaves(path, 10); !ok || len(leaves) != 0 {
			t.Errorf("below %x lie %d leaves", path, len(leaves))
		}
	}
	if n, ok := New().Node(nil); !ok || n != (Node{}) || hex.EncodeToString(sumOf(n)) != frozenEmpty {
		t.Error("the root of an empty tree is not an inner node without children")
	}
}

func sumOf(n Node) []byte {
	sum := n.Digest()
	return sum[:]
}

func TestX3_TheDigestOfASubtreeIsTheOneItsParentHolds(t *testing.T) {
	for seed := range uint64(8) {
		tree, all := randomTree(seed, 1+int(seed)*13)
		if sum, ok := SubtreeDigest(0, all); !ok || sum != tree.Root() {
			t.Fatalf("seed %d: the digest of all leaves is not the root", seed)
		}
		for _, l := range all {
			for depth := 1; ; depth++ {
				parent, ok := tree.Node(nibbles(l.Key, depth-1))
				if !ok {
					break
				}
				below, _ := tree.Leaves(nibbles(l.Key, depth), len(all))
				sum, ok := SubtreeDigest(depth, below)
				if child := parent.Children[nibble(&l.Key, depth-1)]; !ok || sum != child.Digest {
					t.Fatalf("seed %d: %d leaves at depth %d have another digest than their parent holds", seed, len(below), depth)
				}
			}
		}
	}
	if sum, ok := SubtreeDigest(0, nil); !ok || hex.EncodeToString(sum[:]) != frozenEmpty {
		t.Error("no leaves do not give the empty root")
	}
}

func TestX3_ASubtreeOfOtherLeavesIsRefused(t *testing.T) {
	a, b, far := Leaf{Key: [32]byte{0x12, 1}}, Leaf{Key: [32]byte{0x12, 2}}, Leaf{Key: [32]byte{0x22}}
	for name, c := range map[string]struct {
		depth  int
		leaves []Leaf
	}{
		"none below the root": {1, nil},
		"descending":          {1, []Leaf{b, a}},
		"twice":               {64, []Leaf{a, a}},
		"another first path":  {1, []Leaf{a, far}},
		"another path":        {4, []Leaf{a, b}},
		"negative depth":      {-1, []Leaf{a}},
		"depth beyond a hash": {65, []Leaf{a}},
	} {
		if _, ok := SubtreeDigest(c.depth, c.leaves); ok {
			t.Errorf("%s: leaves were accepted", name)
		}
	}
	if sum, ok := SubtreeDigest(64, []Leaf{a}); !ok || sum != a.Digest() {
		t.Error("a single leaf does not give its own digest")
	}
	if _, ok := SubtreeDigest(3, []Leaf{a, b}); !ok {
		t.Error("leaves that share three nibbles are refused at depth 3")
	}
}

func TestX3_AbsentChildrenDoNotCount(t *testing.T) {
	tree, _ := randomTree(3, 5)
	n, _ := tree.Node(nil)
	var sums [16][32]byte
	var bitmap uint16
	for slot, c := range n.Children {
		sums[slot] = [32]byte{1, 2, 3} // DigestOf must ignore the digest of an absent child
		if c.Kind != None {
			sums[slot] = c.Digest
			bitmap |= 1 << slot
		}
	}
	if DigestOf(&sums, bitmap) != tree.Root() {
		t.Error("the digest from parts is not the root")
	}
	if DigestOf(&sums, ^bitmap) == tree.Root() {
		t.Error("the bitmap is not in the digest")
	}
}
