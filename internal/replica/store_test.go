package replica

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"tagma/checkpoint/merkle"
	"tagma/checkpoint/store"
	"tagma/checkpoint/store/memory"
	"tagma/statemachine"
)

// medium is the part of the state that is on the disk. It outlives the process.
type medium struct {
	*memory.Disk
	fail error // the error that the next write returns
	next *medium
}

// Next implements store.Engine. What it opens outlives the process, too.
func (m *medium) Next() (store.Engine, error) {
	m.next = newMedium()
	return m.next, nil
}

func newMedium() *medium { return &medium{Disk: memory.New()} }

func (m *medium) Write(entries []store.Entry) error {
	if m.fail != nil {
		return m.fail
	}
	return m.Disk.Write(entries)
}

func (m *medium) Failure() error { return m.fail }

// testStore is the store over a medium. It counts calls.
type testStore struct {
	*store.Store
	on     *medium
	last   uint64   // the last version that was written
	lost   []uint64 // checkpoints that cannot be pinned
	pins   int
	renews int
}

func openStore(on *medium) *testStore {
	return &testStore{Store: store.New("memory", on, 4<<10), on: on}
}

// loaded returns an open store at the newest state that its medium holds.
func loaded(t testing.TB, on *medium) *testStore {
	t.Helper()
	s := openStore(on)
	if _, err := s.Load(on.MaxVersion()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *testStore) Renew(seq uint64) (*store.Stage, error) {
	s.renews++
	return s.Store.Renew(seq)
}

func (s *testStore) Write(sets []statemachine.WriteSet) error {
	err := s.Store.Write(sets)
	if err == nil {
		s.last = sets[len(sets)-1].Seq
	}
	return err
}

func (s *testStore) Pin(seq uint64) (*merkle.Snapshot, statemachine.StorageView, error) {
	if slices.Contains(s.lost, seq) {
		return nil, nil, fmt.Errorf("pin %d: %w", seq, statemachine.ErrNotRetained)
	}
	tree, view, err := s.Store.Pin(seq)
	if err == nil {
		s.pins++
	}
	return tree, view, err
}

// root returns the root of the state that the store serves as the state after seq.
func (s *testStore) root(t testing.TB, seq uint64) [32]byte {
	t.Helper()
	tree, view, err := s.Store.Pin(seq)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	defer tree.Release()
	return tree.Root()
}

// fill writes a state of so many keys at a version. States of one seed at different versions differ in a few keys.
func fill(t testing.TB, s Store, seq uint64, keys int) (root [32]byte) {
	t.Helper()
	var writes []statemachine.Write
	for i := range keys {
		value := bytes.Repeat([]byte{byte(i)}, 40)
		if i%64 == int(seq%64) {
			value = fmt.Appendf(nil, "written at %d", seq)
		}
		writes = append(writes, statemachine.Write{Key: fmt.Appendf(nil, "key %06d", i), Value: value})
	}
	slices.SortFunc(writes, func(a, b statemachine.Write) int { return bytes.Compare(a.Key, b.Key) })
	if err := s.Write([]statemachine.WriteSet{{Seq: seq, Writes: writes}}); err != nil {
		t.Fatal(err)
	}
	root, err := s.Checkpoint(seq)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
