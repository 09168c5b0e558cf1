package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"tagma/statemachine"
)

// X4, D5: if the manifest is missing or cannot be read to its end, a start rebuilds it from the tables and need not
// fetch anything.
func TestX4_AManifestIsMadeAnewFromTheTables(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"gone":                    nil,
		"rot":                     func([]byte) []byte { return []byte("rot") },
		"empty":                   func([]byte) []byte { return nil },
		"a bit of an entry":       func(b []byte) []byte { b[8+8+3] ^= 4; return b },
		"a length beyond its end": func(b []byte) []byte { b[8+2] ^= 1; return b },
		"a length into the next":  func(b []byte) []byte { b[8+3] += 40; return b },
		"cut":                     func(b []byte) []byte { return b[:len(b)-3] },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir, state := filled(t, 6000)
			if err := badgerOf(s).Flatten(1); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			had := len(tables(t, dir))
			spoilManifest(t, dir, damage)
			for range 2 { // the second start finds a whole manifest
				s = open(t, dir)
				if load(t, s, 8) != rootOf(state) {
					t.Fatalf("the state is lost; there were %d tables", had)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			s = open(t, dir)
			load(t, s, 8)
			write(t, s, set(9, put("key 00003", "later"), remove("key 00004")))
			if get(t, s, 9, "key 00003") != "later" || get(t, s, 9, "key 00004") != "-" || get(t, s, 8, "key 00003") != state["key 00003"] {
				t.Error("what is written afterwards is not read")
			}
		})
	}
}

// X4: if a table is damaged as well as the manifest, only the entries of that table are lost.
func TestX4_ATableIsLeftOutOfAManifestThatIsMadeAnew(t *testing.T) {
	s, dir, state := filled(t, 6000)
	if err := badgerOf(s).Flatten(1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	victims := tables(t, dir)
	if err := os.Truncate(victims[len(victims)/2], 1000); err != nil {
		t.Fatal(err)
	}
	spoilManifest(t, dir, nil)
	s = open(t, dir)
	load(t, s, 0)
	fetched := repair(t, s, 8, state)
	t.Logf("%d of %d keys fetched, %d tables", fetched, len(state), len(victims))
	if fetched == 0 || fetched > len(state)/2 {
		t.Errorf("%d of %d keys fetched", fetched, len(state))
	}
	requireState(t, s, 8, state)
}

// X4: a crash may leave tables that compaction had already replaced, and these bring deleted keys back. The root
// shows it, and only those keys are repaired.
func TestX4_WhatReplacedTablesBringBackIsMended(t *testing.T) {
	s, before, state := filled(t, 6000)
	if err := errors.Join(badgerOf(s).Flatten(1), s.Close()); err != nil {
		t.Fatal(err)
	}
	delete(state, "long")
	for i := range 3000 {
		delete(state, fmt.Sprintf("key %05d", 2*i))
	}
	dir := filepath.Join(t.TempDir(), "state") // this directory is as if compaction had dropped the deletions
	s = open(t, dir)
	load(t, s, 0)
	var left []statemachine.Write
	for key, value := range state {
		left = append(left, put(key, value))
	}
	write(t, s, set(11, left...))
	if err := errors.Join(badgerOf(s).Flatten(1), s.Close()); err != nil {
		t.Fatal(err)
	}
	for i, path := range tables(t, before) {
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, table.IDToFilename(uint64(1000+i))), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	spoilManifest(t, dir, nil)
	s = open(t, dir)
	if load(t, s, 11) == rootOf(state) {
		t.Error("nothing came back, so that nothing is shown")
	}
	repair(t, s, 11, state)
	requireState(t, s, 11, state)
}

// Open does not change a manifest that another version of badger wrote, because the format of the tables may differ,
// too.
func TestOpen_RefusesTheManifestOfAnotherVersion(t *testing.T) {
	s, dir, _ := filled(t, 100)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	spoilManifest(t, dir, func(b []byte) []byte { b[7]++; return b })
	before, err := os.ReadFile(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{memTable: smallMemTable}); !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, badger.ManifestFilename)); err != nil || string(after) != string(before) {
		t.Errorf("it was changed (%v)", err)
	}
}

func spoilManifest(t *testing.T, dir string, damage func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(dir, badger.ManifestFilename)
	if damage == nil {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, damage(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
