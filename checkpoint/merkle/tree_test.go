package merkle

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"tagma/internal/alone"
)

// reference computes the root of a set of hashed pairs straight from the definition in the package comment.
func reference(pairs map[[32]byte][32]byte) [32]byte {
	var all []Leaf
	for k, v := range pairs {
		all = append(all, Leaf{Key: k, Value: v})
	}
	return referenceNode(all, 0)
}

func referenceNode(leaves []Leaf, depth int) [32]byte {
	var groups [16][]Leaf
	for _, l := range leaves {
		groups[nibble(&l.Key, depth)] = append(groups[nibble(&l.Key, depth)], l)
	}
	var bitmap uint16
	var sums []byte
	for slot, group := range groups {
		if len(group) == 0 {
			continue
		}
		bitmap |= 1 << slot
		sum := group[0].Digest()
		if len(group) > 1 {
			sum = referenceNode(group, depth+1)
		}
		sums = append(sums, sum[:]...)
	}
	return sum256(binary.BigEndian.AppendUint16([]byte(innerTag), bitmap), sums)
}

// hashedKey returns key hashes that collide in long prefixes now and then, as SHA-256 itself would not in a small test.
func hashedKey(r *rand.Rand) (key [32]byte) {
	for i := range key {
		if r.IntN(4) == 0 {
			key[i] = byte(r.IntN(3)) << (4 * r.IntN(2))
		}
	}
	key[31] = byte(r.IntN(4))
	if r.IntN(2) == 0 {
		binary.BigEndian.PutUint64(key[:], uint64(r.IntN(64)))
	}
	return key
}

func TestK1_RootDependsOnTheSetOnly(t *testing.T) {
	alone.Test(t)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		tree, model := New(), map[[32]byte][32]byte{}
		for step := range 400 {
			key, value := hashedKey(r), [32]byte{byte(r.IntN(5))}
			if r.IntN(3) == 0 {
				tree.DeleteHashed(key)
				delete(model, key)
			} else {
				tree.SetHashed(key, value)
				model[key] = value
			}
			if step%7 == 0 && tree.Root() != reference(model) {
				t.Fatalf("seed %d step %d: root differs from the definition", seed, step)
			}
		}
		if tree.Root() != reference(model) || tree.Len() != len(model) {
			t.Fatalf("seed %d: %d keys, want %d, or another root", seed, tree.Len(), len(model))
		}
	}
}

func TestK1_DeletesRestoreTheEarlierRoot(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	tree := New()
	empty := tree.Root()
	var roots [][32]byte
	var keys [][]byte
	for i := range 2000 {
		roots = append(roots, tree.Root())
		keys = append(keys, fmt.Appendf(nil, "key %d", i))
		tree.Set(keys[i], fmt.Appendf(nil, "value %d", r.IntN(9)))
	}
	for i := len(keys) - 1; i >= 0; i-- {
		tree.Delete(keys[i])
		if tree.Root() != roots[i] {
			t.Fatalf("after deleting key %d the root is not the one before it was set", i)
		}
	}
	if tree.Root() != empty || tree.Len() != 0 {
		t.Fatal("a tree emptied by deletes is not the empty tree")
	}
	if live := tree.pool.nodes.live(); live != 1 {
		t.Fatalf("%d nodes are still held by an empty tree", live)
	}
}

func TestK1_EveryPartOfThePairIsInTheRoot(t *testing.T) {
	roots := map[[32]byte]string{}
	for _, pairs := range [][]string{{}, {"a", "b"}, {"b", "a"}, {"a", ""}, {"", "a"}, {"", ""}, {"ab", ""}, {"a", "b", "b", "a"}} {
		tree := New()
		for i := 0; i < len(pairs); i += 2 {
			tree.Set([]byte(pairs[i]), []byte(pairs[i+1]))
		}
		if other, ok := roots[tree.Root()]; ok {
			t.Errorf("%q and %s have one root", pairs, other)
		}
		roots[tree.Root()] = fmt.Sprintf("%q", pairs)
	}
}

// The roots below are part of the replicated format: replicas of two versions with different roots would fork.
func TestK1_RootsAreFrozen(t *testing.T) {
	tree := New()
	check := func(want string) {
		t.Helper()
		if root := tree.Root(); hex.EncodeToString(root[:]) != want {
			t.Errorf("root of %d keys is %x, want %s", tree.Len(), root, want)
		}
	}
	check(frozenEmpty)
	for i := range 1000 {
		tree.Set(fmt.Appendf(nil, "k%d", i), fmt.Appendf(nil, "v%d", i))
	}
	check(frozenThousand)
	tree.Reset()
	check(frozenEmpty)
}

func TestDeletingAnAbsentKeyChangesNothing(t *testing.T) {
	tree := New()
	tree.Delete([]byte("nothing"))
	tree.Set([]byte("a"), []byte("1"))
	root := tree.Root()
	tree.Delete([]byte("b"))
	if tree.Root() != root || tree.Len() != 1 {
		t.Fatal("deleting an absent key changed the tree")
	}
}

func TestMemoryIsAtMost150BytesAKey(t *testing.T) {
	const keys = 200_000
	before := heap()
	tree := build(keys)
	tree.Root()
	perKey := float64(heap()-before) / keys
	t.Logf("%.0f bytes a key", perKey)
	if perKey > 150 {
		t.Errorf("%.0f bytes a key, want at most 150", perKey)
	}
	runtime.KeepAlive(tree)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
