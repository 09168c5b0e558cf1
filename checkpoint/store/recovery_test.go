package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"tagma/statemachine"
)

// journal stands for the replica's journal: it has every batch, and the digest of every tenth state.
type journal struct {
	sets []statemachine.WriteSet // sets[i] has sequence number i+1
	m    model
}

const interval = 10

func record(seed uint64, batches int) *journal {
	r := rand.New(rand.NewPCG(seed, 11))
	j := &journal{m: model{{}}}
	for seq := range uint64(batches) {
		j.sets = append(j.sets, randomSet(r, seq+1))
		j.m.apply(j.sets[seq])
	}
	return j
}

// execute writes the batches after from, up to and including to. It writes some of them together, but never across a
// checkpoint.
func (j *journal) execute(t testing.TB, s *Store, from, to uint64) {
	t.Helper()
	for from < to {
		n := min(1+from%3, interval-from%interval, to-from)
		write(t, s, j.sets[from:from+n]...)
		from += n
		if from%interval == 0 && checkpoint(t, s, from) != j.m.root(from) {
			t.Fatalf("the root at %d is not the recorded one", from)
		}
	}
}

// recover loads the newest checkpoint whose root matches and executes the rest again, as the node does at a start.
func (j *journal) recover(t testing.TB, s *Store) (base uint64) {
	t.Helper()
	last := uint64(len(j.sets))
	for base = last - last%interval; ; base -= interval {
		root, err := s.Load(base)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
		if err == nil && root == j.m.root(base) {
			break
		}
		if base == 0 {
			t.Fatal("not even the empty state loads")
		}
	}
	j.execute(t, s, base, last)
	if checkpoint(t, s, last) != j.m.root(last) {
		t.Fatal("the root after recovery differs from the undamaged one")
	}
	return base
}

func TestD5_WhatACrashedRunLeftAboveTheBaseIsInvisible(t *testing.T) {
	j := record(1, 30)
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	j.execute(t, s, 0, 30)
	s = open(t, crashImage(t, dir))
	if s.MaxVersion() != 30 || s.Fresh() {
		t.Fatalf("the highest version found is %d, want 30", s.MaxVersion())
	}
	if load(t, s, 20) != j.m.root(20) {
		t.Fatal("leftovers above 20 are in the root at 20")
	}
	for seq := uint64(20); seq < 30; seq++ {
		r := rand.New(rand.NewPCG(seq, 0))
		compareScan(t, s, seq, j.m[seq], r)
		if _, err := s.View(seq + 1); !errors.Is(err, ErrNotWritten) {
			t.Fatalf("a view at %d, not yet executed again: %v", seq+1, err)
		}
		write(t, s, j.sets[seq])
	}
	if checkpoint(t, s, 30) != j.m.root(30) {
		t.Fatal("executing again gives another root")
	}
}

// A crash may leave any part of a batch. Here every other write of each batch above the loaded checkpoint survives.
func TestD5_HalfABatchIsCompletedByExecutingAgain(t *testing.T) {
	j := record(2, 30)
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	j.execute(t, s, 0, 20)
	var half []Entry
	for _, ws := range j.sets[20:] {
		for i := 0; i < len(ws.Writes); i += 2 {
			var err error
			if half, err = s.add(half, s.cut, ws.Seq, ws.Writes[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.engine.Write(half); err != nil {
		t.Fatal(err)
	}
	s = open(t, crashImage(t, dir))
	if base := j.recover(t, s); base != 20 {
		// The root at 30 cannot match; the root at 20 must.
		t.Fatalf("recovered from %d, want 20", base)
	}
	for seq := uint64(20); seq <= 30; seq++ {
		compareScan(t, s, seq, j.m[seq], rand.New(rand.NewPCG(seq, 1)))
	}
}

func TestD5_AnOlderCheckpointLoadsAfterANewerOneDidNotMatch(t *testing.T) {
	j := record(3, 30)
	s := open(t, t.TempDir())
	load(t, s, 0)
	j.execute(t, s, 0, 30)
	s = open(t, crashImage(t, s.dir))
	for _, at := range []uint64{30, 20, 30, 10} {
		if load(t, s, at) != j.m.root(at) {
			t.Errorf("the root at %d is not the recorded one", at)
		}
	}
	write(t, s, j.sets[10])
	if _, err := s.Load(0); err == nil {
		t.Error("loaded again after a write")
	}
}

func TestD8_AFreshStoreIsRecognised(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if !s.Fresh() || s.MaxVersion() != 0 {
		t.Error("a new store is not fresh")
	}
	load(t, s, 0)
	write(t, s, set(7, put("a", "1")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s = open(t, dir); s.Fresh() || s.MaxVersion() != 7 {
		t.Errorf("fresh %v, highest version %d, want 7", s.Fresh(), s.MaxVersion())
	}
}

// damagedStore writes 40 batches, with a clean stop in the middle so that the state is partly in tables and partly in
// write-ahead files. It returns the directory as a crash after the last batch leaves it.
func damagedStore(t *testing.T, j *journal) string {
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	j.execute(t, s, 0, 20)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	load(t, s, 20)
	j.execute(t, s, 20, uint64(len(j.sets)))
	image := crashImage(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return image
}

// damages are the ways in which disks and crashes damage a file of which the first used bytes hold data.
var damages = []struct {
	name string
	do   func(f *os.File, used int64, r *rand.Rand) error
}{
	{"empty", func(f *os.File, _ int64, _ *rand.Rand) error { return f.Truncate(0) }},
	{"cut", func(f *os.File, used int64, r *rand.Rand) error { return f.Truncate(r.Int64N(used)) }},
	{"lost tail", func(f *os.File, used int64, r *rand.Rand) error { return zero(f, r.Int64N(used), used) }},
	{"hole", func(f *os.File, used int64, r *rand.Rand) error {
		at := r.Int64N(used)
		return zero(f, at, min(used, at+1+r.Int64N(512)))
	}},
	{"zeros", func(f *os.File, used int64, _ *rand.Rand) error { return zero(f, 0, used) }},
	{"flipped bit", func(f *os.File, used int64, r *rand.Rand) error {
		var b [1]byte
		at := r.Int64N(used)
		if _, err := f.ReadAt(b[:], at); err != nil {
			return err
		}
		b[0] ^= 1 << r.IntN(8)
		_, err := f.WriteAt(b[:], at)
		return err
	}},
}

func zero(f *os.File, from, to int64) error {
	_, err := f.WriteAt(make([]byte, to-from), from)
	return err
}

// usedBytes returns the length without the zeros at the end: badger's logs are preallocated.
func usedBytes(path string) (int64, error) {
	data, err := os.ReadFile(path)
	for len(data) > 0 && data[len(data)-1] == 0 {
		data = data[:len(data)-1]
	}
	return int64(len(data)), err
}

// Whatever is done to any file, the outcome is ErrDamaged or the undamaged state, perhaps by way of an older
// checkpoint. It is never another state, and the process never crashes.
func TestD5_DamageIsNoticedOrMended(t *testing.T) {
	j := record(4, 46)
	image := damagedStore(t, j)
	files, err := os.ReadDir(image)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]int{}
	for _, file := range files {
		used, err := usedBytes(filepath.Join(image, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if used == 0 || file.Name() == "LOCK" {
			continue
		}
		for _, damage := range damages {
			for seed := range uint64(2) {
				name := fmt.Sprintf("%s %s %d", file.Name(), damage.name, seed)
				t.Run(name, func(t *testing.T) {
					dir := crashImage(t, image)
					f, err := os.OpenFile(filepath.Join(dir, file.Name()), os.O_RDWR, 0)
					if err != nil {
						t.Fatal(err)
					}
					if err := errors.Join(damage.do(f, used, rand.New(rand.NewPCG(seed, 3))), f.Close()); err != nil {
						t.Fatal(err)
					}
					outcomes[filepath.Ext(file.Name())+" "+outcome(t, j, dir)]++
				})
			}
		}
	}
	t.Log(outcomes)
}

func outcome(t *testing.T, j *journal, dir string) string {
	s, err := Open(dir, Options{memTable: smallMemTable})
	if errors.Is(err, ErrDamaged) {
		return "refused"
	}
	if err != nil {
		t.Fatalf("the error does not say damaged: %v", err)
	}
	base := j.recover(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s = open(t, dir); load(t, s, 46) != j.m.root(46) {
		t.Fatal("the root differs after a clean stop that followed the recovery")
	}
	return fmt.Sprint("from ", base)
}
