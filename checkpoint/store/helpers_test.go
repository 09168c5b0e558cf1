package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

const smallMemTable = 256 << 10

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{memTable: smallMemTable})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func load(t testing.TB, s *Store, at uint64) [32]byte {
	t.Helper()
	root, err := s.Load(at)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func write(t testing.TB, s *Store, sets ...statemachine.WriteSet) {
	t.Helper()
	if err := s.Write(sets); err != nil {
		t.Fatal(err)
	}
}

func checkpoint(t testing.TB, s *Store, seq uint64) [32]byte {
	t.Helper()
	root, err := s.Checkpoint(seq)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func put(key, value string) statemachine.Write {
	return statemachine.Write{Key: []byte(key), Value: []byte(value)}
}

func remove(key string) statemachine.Write {
	return statemachine.Write{Key: []byte(key), Delete: true}
}

func set(seq uint64, writes ...statemachine.Write) statemachine.WriteSet {
	slices.SortFunc(writes, func(a, b statemachine.Write) int { return bytes.Compare(a.Key, b.Key) })
	return statemachine.WriteSet{Seq: seq, Writes: writes}
}

// get reads one key at one sequence number; "-" stands for an absent one.
func get(t testing.TB, s *Store, at uint64, key string) string {
	t.Helper()
	v, err := s.View(at)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	value, found, err := v.Get([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return "-"
	}
	return string(value)
}

// randomSet writes, overwrites and deletes some of a hundred keys.
func randomSet(r *rand.Rand, seq uint64) statemachine.WriteSet {
	writes := map[string]statemachine.Write{}
	for range 1 + r.IntN(12) {
		key := fmt.Sprintf("k%02d", r.IntN(100))
		if r.IntN(3) == 0 {
			writes[key] = remove(key)
		} else {
			writes[key] = put(key, fmt.Sprintf("%d %s", seq, bytes.Repeat([]byte("x"), r.IntN(200))))
		}
	}
	ws := statemachine.WriteSet{Seq: seq}
	for _, w := range writes {
		ws.Writes = append(ws.Writes, w)
	}
	return set(seq, ws.Writes...)
}

// model is the state after each sequence number.
type model []map[string]string

func (m *model) apply(ws statemachine.WriteSet) {
	next := map[string]string{}
	if len(*m) > 0 {
		for k, v := range (*m)[len(*m)-1] {
			next[k] = v
		}
	}
	for _, w := range ws.Writes {
		if delete(next, string(w.Key)); !w.Delete {
			next[string(w.Key)] = string(w.Value)
		}
	}
	*m = append(*m, next)
}

func (m model) root(at uint64) [32]byte {
	tree := merkle.New()
	for k, v := range m[at] {
		tree.Set([]byte(k), []byte(v))
	}
	return tree.Root()
}

// crashImage copies a directory as a crash would leave it, without closing what is open there. Badger may move files
// during the copy. If the files or the manifest changed meanwhile, the copy is made again.
func crashImage(t testing.TB, from string) string {
	t.Helper()
	for range 100 {
		to := t.TempDir()
		before, err := fingerprint(from)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(from)
		for _, e := range entries {
			err = errors.Join(err, copyFile(filepath.Join(to, e.Name()), filepath.Join(from, e.Name())))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if after, _ := fingerprint(from); err == nil && after == before {
			return to
		}
	}
	t.Fatalf("%s never came to rest", from)
	return ""
}

// fingerprint returns the names of the files in a directory, and badger's manifest.
func fingerprint(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	manifest, err := os.ReadFile(filepath.Join(dir, badger.ManifestFilename))
	return fmt.Sprint(entries, manifest), err
}

// copyFile also copies the holes of a sparse file as holes: badger's logs consist mostly of holes.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	buf, zeros := make([]byte, 64<<10), make([]byte, 64<<10)
	var at int64
	for {
		n, err := io.ReadFull(in, buf)
		if n > 0 && !bytes.Equal(buf[:n], zeros[:n]) {
			if _, err := out.WriteAt(buf[:n], at); err != nil {
				return err
			}
		}
		at += int64(n)
		if err != nil {
			break
		}
	}
	if err := out.Truncate(at); err != nil {
		return err
	}
	return out.Close()
}

// badgerOf is the database below a store.
func badgerOf(s *Store) *badger.DB { return engineOf(s).db }

func engineOf(s *Store) *badgerEngine { return s.engine.(*badgerEngine) }
