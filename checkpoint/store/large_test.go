package store

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// The test fills a store with many keys, most of whose tree is in the file. It changes them from checkpoint to
// checkpoint, and a start must find the state again. With TAGMA_KEYS=10000000 it measures a very large store and logs
// time and memory.
func TestManyKeys(t *testing.T) {
	keys := 30_000
	opt := Options{TreeHeap: 1 << 20}
	if text := os.Getenv("TAGMA_KEYS"); text != "" {
		var err error
		if keys, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		opt.TreeHeap = 0 // as a replica has it
	}
	changed := min(10_000, keys/10)
	dir := t.TempDir()
	openOne := func() *Store {
		s, err := Open(dir, opt)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	began := time.Now()
	tell := func(what string) {
		t.Logf("%-32s %8.2f s  %s", what, time.Since(began).Seconds(), residentText())
		began = time.Now()
	}
	s := openOne()
	load(t, s, 0)
	seq, next := uint64(0), 0
	change := func(n int) (root [32]byte) { // the keys of one call follow each other in number and lie anywhere in the tree
		for n > 0 {
			seq++
			ws := statemachine.WriteSet{Seq: seq}
			for range min(n, 256) {
				ws.Writes = append(ws.Writes, manyKey(next%keys, next/keys))
				next, n = next+1, n-1
			}
			write(t, s, ws)
			if n == 0 || seq%128 == 0 {
				root = checkpoint(t, s, seq)
				s.Discard(seq)
			}
		}
		return root
	}
	change(keys)
	tell("filled")
	var root [32]byte
	for range 8 {
		root = change(changed)
	}
	tell(fmt.Sprintf("8 times %d changed", changed))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	s = openOne()
	defer s.Close() //nolint:errcheck // from here on the store is only read
	tell("opened")
	if got := load(t, s, seq); got != root {
		t.Errorf("a start finds the root %x, not %x", got[:8], root[:8])
	}
	tell("loaded")
	if keys > 100_000 { // in a smaller store, the memory of the model would be as large as the store's
		return
	}
	want := merkle.New()
	for i := range keys {
		version := (next - 1 - i) / keys // how often the key was written after the first time
		w := manyKey(i, version)
		want.Set(w.Key, w.Value)
	}
	if want.Root() != root {
		t.Error("the root is not that of what was written")
	}
}

// manyKey is a write of 100 bytes. Keys whose numbers follow each other are not neighbours in the store.
func manyKey(i, version int) statemachine.Write {
	key := fmt.Appendf(nil, "%02d/%08d", i%97, i)
	return statemachine.Write{Key: key, Value: fmt.Appendf(nil, "%092d%08d", i, version)}
}

// residentText returns the resident memory of this process, as text from the system.
func residentText() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	text := ""
	for _, m := range regexp.MustCompile(`(VmHWM|RssAnon|RssFile):\s+(\d+) kB`).FindAllStringSubmatch(string(status), -1) {
		kib, _ := strconv.Atoi(m[2])
		text += fmt.Sprintf(" %s %d MiB", m[1], kib>>10)
	}
	return text
}
