package store

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"tagma/statemachine"
)

func BenchmarkWriteSynced(b *testing.B) {
	for _, shape := range []struct{ sets, records int }{{1, 1}, {1, 64}, {8, 64}} {
		b.Run(fmt.Sprintf("%dx%d", shape.sets, shape.records), func(b *testing.B) {
			s := openPlain(b, b.TempDir())
			load(b, s, 0)
			seq, key := uint64(0), 0
			for b.Loop() {
				sets := make([]statemachine.WriteSet, shape.sets)
				for i := range sets {
					seq++
					sets[i].Seq = seq
					for range shape.records {
						key++
						sets[i].Writes = append(sets[i].Writes, hundredBytes(key*7919%100_000, seq))
					}
				}
				write(b, s, sets...)
			}
			records := float64(b.N * shape.sets * shape.records)
			b.ReportMetric(b.Elapsed().Seconds()*1e6/records, "µs/record")
		})
	}
}

func BenchmarkLoad100k(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 100_000)
	s := openPlain(b, dir)
	for b.Loop() {
		load(b, s, 1000)
	}
}

func BenchmarkGet(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir, 100_000)
	s := openPlain(b, dir)
	load(b, s, 1000)
	v, err := s.View(1000)
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	i := 0
	for b.Loop() {
		i++
		if _, found, err := v.Get(hundredBytes(i*7919%100_000, 0).Key); !found || err != nil {
			b.Fatal(found, err)
		}
	}
}

// The store is measured in a process of its own, so that the memory of the other tests does not count.
func TestResidentMemoryStaysSmall(t *testing.T) {
	if dir := os.Getenv("STORE_RESIDENT"); dir != "" {
		s := openPlain(t, dir)
		load(t, s, s.MaxVersion())
		fmt.Printf("resident %d %d\n", resident(t), s.tree.Len())
		return
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc")
	}
	if underRaceDetector {
		t.Skip("the race detector takes several times the memory")
	}
	for _, want := range []struct {
		keys int
		mib  int64
	}{{0, 64}, {100_000, 120}} {
		dir := t.TempDir()
		fill(t, dir, want.keys)
		cmd := exec.Command(os.Args[0], "-test.run=^TestResidentMemoryStaysSmall$")
		cmd.Env = append(os.Environ(), "STORE_RESIDENT="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var bytes int64
		var keys int
		if _, err := fmt.Sscanf(string(out), "resident %d %d", &bytes, &keys); err != nil || keys != want.keys {
			t.Fatalf("%d keys, %v: %s", keys, err, out)
		}
		t.Logf("%d keys: %d MiB resident", keys, bytes>>20)
		if bytes > want.mib<<20 {
			t.Errorf("%d MiB resident with %d keys, want at most %d", bytes>>20, keys, want.mib)
		}
	}
}

func resident(t *testing.T) int64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmRSS in /proc/self/status")
	return 0
}

// fill writes keys in a thousand batches or fewer and closes the store.
func fill(t testing.TB, dir string, keys int) {
	t.Helper()
	s := openPlain(t, dir)
	load(t, s, 0)
	for seq, key := uint64(0), 0; key < keys; {
		var sets []statemachine.WriteSet
		for range 50 {
			seq++
			ws := statemachine.WriteSet{Seq: seq}
			for range keys / 1000 {
				ws.Writes = append(ws.Writes, hundredBytes(key, seq))
				key++
			}
			sets = append(sets, ws)
		}
		write(t, s, sets...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func hundredBytes(key int, seq uint64) statemachine.Write {
	return statemachine.Write{
		Key:   fmt.Appendf(nil, "key%013d", key),
		Value: fmt.Appendf(bytes.Repeat([]byte("v"), 84), "%16d", seq),
	}
}

// openPlain opens a store with the options of production.
func openPlain(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // Closing twice is harmless: some callers close the store themselves.
	return s
}
