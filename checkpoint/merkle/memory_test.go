package merkle

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"testing"
)

// inMemories runs a test over trees of every kind of memory.
func inMemories(t *testing.T, run func(*testing.T, Memory)) {
	t.Helper()
	for name, memory := range map[string]func() Memory{
		"on the heap":   func() Memory { return Memory{} },
		"in a file":     func() Memory { return Memory{Dir: t.TempDir()} },
		"in both":       func() Memory { return Memory{Dir: t.TempDir(), Heap: 400 << 10} },
		"without room":  func() Memory { return Memory{Dir: t.TempDir(), Room: func(int64) bool { return false }} },
		"without a dir": func() Memory { return Memory{Dir: filepath.Join(t.TempDir(), "none")} },
	} {
		t.Run(name, func(t *testing.T) { run(t, memory()) })
	}
}

// A tree has the same content and root wherever its parts are kept, even while the system takes back its memory. The
// same holds for its snapshots.
func TestMemory_ChangesNothing(t *testing.T) {
	inMemories(t, func(t *testing.T, memory Memory) {
		rng := rand.New(rand.NewPCG(1, 2))
		plain, other := New(), NewIn(memory)
		var kept []*Snapshot
		var roots [][32]byte
		for range 40 {
			for range 1000 {
				var key [8]byte
				binary.BigEndian.PutUint64(key[:], rng.Uint64N(8000))
				if rng.IntN(4) == 0 {
					plain.Delete(key[:])
					other.Delete(key[:])
					continue
				}
				value := binary.BigEndian.AppendUint64(nil, rng.Uint64())
				plain.Set(key[:], value)
				other.Set(key[:], value)
			}
			s := other.Snapshot()
			if s.Root() != plain.Root() || s.Len() != plain.Len() {
				t.Fatal("another root")
			}
			kept, roots = append(kept, s), append(roots, s.Root())
			if len(kept) > 3 {
				leaves, _ := kept[0].Leaves(nil, kept[0].Len())
				old := New()
				for _, l := range leaves {
					old.SetHashed(l.Key, l.Value)
				}
				if old.Root() != roots[0] {
					t.Fatal("a snapshot changed")
				}
				kept[0].Release()
				kept, roots = kept[1:], roots[1:]
			}
		}
	})
}

// A Builder makes the same tree as Set, in whatever order the keys are added.
func TestBuilder_BuildsWhatSetBuilds(t *testing.T) {
	inMemories(t, func(t *testing.T, memory Memory) {
		const keys = 100_000 // more than a block for each bucket
		want, b := New(), NewBuilder(memory)
		for i := range keys {
			key := binary.BigEndian.AppendUint64(nil, uint64(i))
			value := binary.BigEndian.AppendUint64(nil, uint64(i)*31)
			want.Set(key, value)
			b.Add(key, value)
		}
		got, err := b.Tree()
		if err != nil {
			t.Fatal(err)
		}
		if got.Root() != want.Root() || got.Len() != keys {
			t.Error("another tree")
		}
		if left, _ := filepath.Glob(filepath.Join(memory.Dir, "tree-*")); memory.Dir != "" && len(left) > 0 {
			t.Errorf("%v were left", left)
		}
	})
}

// Parts that are kept in the file take no memory of Go's heap.
func TestMemory_TheHeapHoldsWhatItMay(t *testing.T) {
	const keys = 200_000
	tree := NewIn(Memory{Dir: t.TempDir(), Heap: 1 << 20})
	if newPaged(tree.pool.quarry.memory).take(1) == nil {
		t.Skip("files cannot be mapped here")
	}
	for i := range keys {
		setNumber(tree, i, 0)
	}
	tree.Root()
	if got := tree.pool.quarry.inside; got > 1<<20 {
		t.Errorf("%d bytes of the tree lie on the heap", got)
	}
	runtime.KeepAlive(tree)
}
