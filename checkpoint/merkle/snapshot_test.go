package merkle

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"tagma/internal/alone"
)

// held is a snapshot and the pairs that it must contain.
type held struct {
	snap  *Snapshot
	model map[[32]byte][32]byte
	root  [32]byte
}

func TestX2_ASnapshotStaysAsItIsWhileTheTreeGoesOn(t *testing.T) {
	alone.Test(t)
	for seed := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, 3))
		tree, model := New(), map[[32]byte][32]byte{}
		var snaps []held
		for step := range 600 {
			key, value := hashedKey(r), [32]byte{byte(r.IntN(5))}
			switch r.IntN(20) {
			case 0, 1, 2, 3, 4, 5:
				tree.DeleteHashed(key)
				delete(model, key)
			case 6:
				snaps = append(snaps, held{tree.Snapshot(), maps.Clone(model), reference(model)})
			case 7:
				if len(snaps) > 0 {
					h := snaps[r.IntN(len(snaps))]
					snaps = append(snaps, held{h.snap.Clone(), h.model, h.root})
				}
			case 8:
				for len(snaps) > r.IntN(5) {
					i := r.IntN(len(snaps))
					snaps[i].snap.Release()
					snaps = slices.Delete(snaps, i, i+1)
				}
			default:
				tree.SetHashed(key, value)
				model[key] = value
			}
			if step%25 == 0 {
				for _, h := range snaps {
					h.check(t)
				}
			}
		}
		if tree.Root() != reference(model) {
			t.Fatalf("seed %d: the tree's root differs from the definition", seed)
		}
		r.Shuffle(len(snaps), func(i, j int) { snaps[i], snaps[j] = snaps[j], snaps[i] })
		for len(snaps) > 0 {
			snaps[0].snap.Release()
			snaps = snaps[1:]
			for _, h := range snaps {
				h.check(t)
			}
		}
		requireNoLeak(t, tree, model)
	}
}

// check walks the whole snapshot, from the root down through inner nodes, and compares it with the model.
func (h held) check(t *testing.T) {
	t.Helper()
	if h.snap.Root() != h.root || h.snap.Len() != len(h.model) {
		t.Fatalf("the snapshot has %d keys, want %d, or another root", h.snap.Len(), len(h.model))
	}
	seen := map[[32]byte][32]byte{}
	walk(t, h.snap, nil, h.root, seen)
	if !maps.Equal(seen, h.model) {
		t.Fatalf("the snapshot holds %d leaves that are not the model's %d", len(seen), len(h.model))
	}
}

// walk verifies every digest on its way, as a receiver does.
func walk(t *testing.T, s *Snapshot, path []byte, want [32]byte, seen map[[32]byte][32]byte) {
	t.Helper()
	n, ok := s.Node(path)
	if !ok || n.Digest() != want {
		t.Fatalf("the node at %x is missing or has another digest", path)
	}
	for slot, c := range n.Children {
		below := append(bytes.Clone(path), byte(slot))
		switch c.Kind {
		case IsLeaf:
			if c.Leaf.Digest() != c.Digest {
				t.Fatalf("the leaf at %x has another digest", below)
			}
			seen[c.Leaf.Key] = c.Leaf.Value
		case Inner:
			walk(t, s, below, c.Digest, seen)
		}
	}
}

// requireNoLeak compares what the tree occupies with a fresh tree of the same keys.
func requireNoLeak(t *testing.T, tree *Tree, model map[[32]byte][32]byte) {
	t.Helper()
	fresh := New()
	for k, v := range model {
		fresh.SetHashed(k, v)
	}
	got, want := tree.pool, fresh.pool
	if got.nodes.live() != want.nodes.live() || got.leaves.live() != want.leaves.live() {
		t.Fatalf("%d nodes and %d leaves are held, want %d and %d",
			got.nodes.live(), got.leaves.live(), want.nodes.live(), want.leaves.live())
	}
	if len(got.dead) != 0 || len(got.snapshots) != 0 || got.newest != 0 {
		t.Fatalf("%d dead parts and %d snapshots are left", len(got.dead), len(got.snapshots))
	}
}

func TestAReleasedSnapshotShowsNothing(t *testing.T) {
	tree := build(100)
	s := tree.Snapshot()
	root := tree.Root()
	s.Release()
	s.Release()
	if _, ok := s.Node(nil); ok {
		t.Error("a released snapshot shows its root node")
	}
	if leaves, whole := s.Leaves(nil, 1000); whole || leaves != nil {
		t.Error("a released snapshot shows leaves")
	}
	if s.Clone() != nil {
		t.Error("a released snapshot was cloned")
	}
	if s.Root() != root || s.Len() != 100 {
		t.Error("the root or the number of keys was forgotten")
	}
}

func TestASnapshotOutlivesAResetOfItsTree(t *testing.T) {
	tree := build(100)
	s := tree.Snapshot()
	tree.Reset()
	setNumber(tree, 1, 1)
	if leaves, whole := s.Leaves(nil, 100); !whole || len(leaves) != 100 {
		t.Errorf("%d leaves after the tree was emptied, want 100", len(leaves))
	}
	s.Release()
	if tree.Len() != 1 {
		t.Error("releasing a snapshot of the former content changed the tree")
	}
}

// Snapshots are read while the tree changes; the race detector reports unsynchronised access.
func TestX2_SnapshotsAreReadWhileTheTreeChanges(t *testing.T) {
	tree := build(2000)
	var readers sync.WaitGroup
	for version := range 20 {
		s := tree.Snapshot()
		readers.Go(func() {
			defer s.Release()
			if leaves, whole := s.Leaves(nil, 2000); !whole || len(leaves) != 2000 {
				t.Errorf("version %d: %d leaves", version, len(leaves))
			}
			for i := range 256 {
				s.Node([]byte{byte(i >> 4), byte(i & 15)})
			}
			if n, ok := s.Node(nil); !ok || n.Digest() != s.Root() {
				t.Errorf("version %d: the root node is not the root's", version)
			}
		})
		for i := range 200 {
			setNumber(tree, (i*97+version)%2000, version+1)
		}
	}
	readers.Wait()
	if live := tree.pool.leaves.live(); live != 2000 {
		t.Errorf("%d leaves are held for 2000 keys", live)
	}
}
