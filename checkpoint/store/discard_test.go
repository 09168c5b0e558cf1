package store

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"tagma/statemachine"
)

// overwrite gives a hundred keys 100-byte values at every sequence number in (from, to].
func overwrite(t testing.TB, s *Store, from, to uint64, discard func(seq uint64)) {
	t.Helper()
	const together = 100
	for seq := from; seq < to; {
		var sets []statemachine.WriteSet
		for range min(together, to-seq) {
			seq++
			ws := statemachine.WriteSet{Seq: seq}
			for key := range 100 {
				value := fmt.Appendf(bytes.Repeat([]byte("v"), 90), "%10d", seq)
				ws.Writes = append(ws.Writes, statemachine.Write{Key: fmt.Appendf(nil, "key%03d", key), Value: value})
			}
			sets = append(sets, ws)
		}
		write(t, s, sets...)
		discard(seq)
	}
}

func TestC9_ViewsBelowTheFloorAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(1, put("a", "1")), set(2, put("a", "2")), set(3, put("a", "3")))
	s.Discard(2)
	s.Discard(1)
	if s.Floor() != 2 {
		t.Errorf("the floor is %d, want 2", s.Floor())
	}
	if _, err := s.View(1); !errors.Is(err, statemachine.ErrNotRetained) {
		t.Errorf("a view below the floor: %v", err)
	}
	if got := get(t, s, 2, "a"); got != "2" {
		t.Errorf("at the floor: %q", got)
	}
	s.Discard(100)
	if s.Floor() != 3 {
		t.Errorf("the floor passed what is written: %d", s.Floor())
	}
}

func TestK4_TheDiskStaysBoundedWhileKeysAreOverwritten(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100 MB")
	}
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	load(t, s, 0)
	var most int64
	overwrite(t, s, 0, 10_000, func(seq uint64) {
		s.Discard(seq - min(seq, 200))
		lsm, vlog, err := s.Size()
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, lsm+vlog)
	})
	root := checkpoint(t, s, 10_000)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("at most %d MiB on disk", most>>20)
	if most > 96<<20 {
		t.Errorf("%d MiB on disk at the most: old versions are not dropped", most>>20)
	}
	s = open(t, dir)
	if load(t, s, 10_000) != root {
		t.Error("the root differs after the restart")
	}
	if err := badgerOf(s).Flatten(1); err != nil {
		t.Fatal(err)
	}
	if lsm, _, _ := s.Size(); lsm > 12<<20 {
		t.Errorf("%d MiB of tables for 100 keys", lsm>>20)
	}
}

func TestAnOpenViewHoldsBackWhatItSees(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	write(t, s, set(1, put("key000", "old"), put("gone", "here")), set(2, remove("gone")))
	v, err := s.View(1)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, s, 2, 300, s.Discard)
	if err := badgerOf(s).Flatten(1); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"key000": "old", "gone": "here"} {
		if value, _, err := v.Get([]byte(key)); err != nil || string(value) != want {
			t.Errorf("%s is %q (%v) in the open view, want %q", key, value, err, want)
		}
	}
	v.Close()
	before := versions(t, s)
	overwrite(t, s, 300, 600, s.Discard)
	if err := badgerOf(s).Flatten(1); err != nil {
		t.Fatal(err)
	}
	if after := versions(t, s); after >= before {
		t.Errorf("%d versions after the view was closed, %d before: nothing was dropped", after, before)
	}
}

// versions counts everything badger holds.
func versions(t *testing.T, s *Store) (n int) {
	t.Helper()
	txn := badgerOf(s).NewTransactionAt(1<<62, false)
	defer txn.Discard()
	opt := badger.DefaultIteratorOptions
	opt.AllVersions, opt.PrefetchValues = true, false
	it := txn.NewIterator(opt)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		n++
	}
	return n
}

// Compaction drops deletion markers. A deleted key must not reappear, whichever tables are merged.
func TestDeletedKeysStayDeleted(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	seq := uint64(0)
	filler := bytes.Repeat([]byte("f"), 200)
	for round := range 60 {
		for _, del := range []bool{false, true} {
			seq++
			ws := statemachine.WriteSet{Seq: seq}
			for i := range 400 {
				ws.Writes = append(ws.Writes, statemachine.Write{
					Key: fmt.Appendf(nil, "%03d/%03d", round, i), Value: filler, Delete: del,
				})
			}
			write(t, s, ws)
			s.Discard(seq)
		}
	}
	v, err := s.View(seq)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for e, err := range v.Scan(nil, nil) {
		t.Fatalf("%q is back (%v)", e.Key, err)
	}
	if empty := open(t, t.TempDir()); checkpoint(t, s, seq) != load(t, empty, 0) {
		t.Error("the root is not the empty one")
	}
}
