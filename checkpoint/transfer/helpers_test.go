package transfer

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// state is a state in memory, by key.
type state map[string][]byte

func (s state) tree() *merkle.Tree {
	tree := merkle.New()
	for key, value := range s {
		tree.Set([]byte(key), value)
	}
	return tree
}

func (s state) root() [32]byte { return s.tree().Root() }

// memView is a view of a state. It counts what is read.
type memView struct {
	keys   []string
	values state
	gets   int
	bytes  int
	closed bool
}

func viewOf(s state) *memView { return &memView{keys: slices.Sorted(maps.Keys(s)), values: s} }

func (v *memView) Get(key []byte) ([]byte, bool, error) {
	value, found := v.values[string(key)]
	v.gets++
	v.bytes += len(value)
	return value, found, nil
}

func (v *memView) Scan(start, end []byte) iter.Seq2[statemachine.Entry, error] {
	return func(yield func(statemachine.Entry, error) bool) {
		from, _ := slices.BinarySearch(v.keys, string(start))
		for _, key := range v.keys[from:] {
			if end != nil && key >= string(end) {
				return
			}
			if !yield(statemachine.Entry{Key: []byte(key), Value: v.values[key]}, nil) {
				return
			}
		}
	}
}

// A donor never calls Walk.
func (*memView) Walk(_, _ []byte, _ bool) iter.Seq2[statemachine.Entry, error] {
	panic("not asked for")
}

func (v *memView) Close() { v.closed = true }

// memStage is a stage in memory. The test fails if writes are not in order or change nothing.
type memStage struct {
	t      testing.TB
	values state
	merkle *merkle.Tree
	writes int
	fail   error // the error of the next write or scan
	target state // if set, the state from which all writes must come
}

func stageOf(t testing.TB, s state) *memStage {
	return &memStage{t: t, values: maps.Clone(s), merkle: s.tree()}
}

func (s *memStage) Tree() *merkle.Tree { return s.merkle }

func (s *memStage) Write(writes []statemachine.Write) error {
	if s.fail != nil {
		return s.fail
	}
	if len(writes) > batchKeys {
		s.t.Errorf("%d keys in one write", len(writes))
	}
	for i, w := range writes {
		if i > 0 && bytes.Compare(writes[i-1].Key, w.Key) >= 0 {
			s.t.Errorf("keys %.20q and %.20q are written in this order", writes[i-1].Key, w.Key)
		}
		old, had := s.values[string(w.Key)]
		s.writes++
		if right, is := s.target[string(w.Key)]; s.target != nil && (is == w.Delete || is && !bytes.Equal(right, w.Value)) {
			s.t.Errorf("key %.20q is not made what it is in the target", w.Key)
		}
		if w.Delete {
			if !had {
				s.t.Errorf("an absent key is deleted")
			}
			delete(s.values, string(w.Key))
			s.merkle.Delete(w.Key)
			continue
		}
		if had && bytes.Equal(old, w.Value) {
			s.t.Errorf("key %.20q is written with the value that it has", w.Key)
		}
		s.values[string(w.Key)] = w.Value
		s.merkle.Set(w.Key, w.Value)
	}
	return nil
}

func (s *memStage) Scan() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if s.fail != nil {
			yield(nil, s.fail)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(s.values)) {
			if !yield([]byte(key), nil) {
				return
			}
		}
	}
}

// wantEqual fails the test unless the stage holds exactly a state and its tree matches that state.
func (s *memStage) wantEqual(want state) {
	s.t.Helper()
	if !maps.EqualFunc(s.values, want, bytes.Equal) || s.merkle.Root() != want.root() {
		s.t.Fatalf("the stage has %d keys and root %x, want %d keys and root %x, or other values",
			len(s.values), s.merkle.Root(), len(want), want.root())
	}
}

func sourceOf(t testing.TB, s state, opt SourceOptions) *Source {
	source := NewSource(s.tree().Snapshot(), viewOf(s), opt)
	prepare(t, source)
	t.Cleanup(source.Close)
	return source
}

func prepare(t testing.TB, s *Source) {
	t.Helper()
	for steps := 0; ; steps++ {
		ready, err := s.Prepare(997)
		if err != nil {
			t.Fatal(err)
		}
		if ready {
			return
		}
		if steps > 1_000_000 {
			t.Fatal("the source is never ready")
		}
	}
}

// randomState draws a state of about n keys. Some of its values are the same in other drawn states.
func randomState(r *rand.Rand, n int) state {
	s := state{}
	for range n {
		s[fmt.Sprintf("key %d", r.IntN(2*n+1))] = fmt.Appendf(nil, "value %d", r.IntN(3))
	}
	return s
}

// changed returns a copy of a state with some keys set, some deleted and some added.
func changed(r *rand.Rand, s state, changes int) state {
	out := maps.Clone(s)
	keys := slices.Sorted(maps.Keys(s))
	for i := range changes {
		switch kind := r.IntN(3); {
		case kind == 0 || len(keys) == 0:
			out[fmt.Sprintf("new %d %d", i, r.IntN(1000))] = []byte("new")
		case kind == 1:
			delete(out, keys[r.IntN(len(keys))])
		default:
			out[keys[r.IntN(len(keys))]] = fmt.Appendf(nil, "changed %d", r.IntN(1000))
		}
	}
	return out
}

// with returns a copy of the state in which every value is replaced.
func (s state) with(value string) state {
	out := state{}
	for key := range s {
		out[key] = []byte(value)
	}
	return out
}

func sum(s string) [32]byte { return sha256.Sum256([]byte(s)) }
