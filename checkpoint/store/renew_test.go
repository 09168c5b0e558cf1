package store

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tagma/statemachine"
)

// filled returns a store with this many keys, most of them in tables. The state after sequence number 8 is a
// checkpoint, and batches up to 10 are executed.
func filled(t *testing.T, keys int) (s *Store, dir string, state map[string]string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "state")
	s = open(t, dir)
	load(t, s, 0)
	state = map[string]string{"long": strings.Repeat("x", 3*smallMemTable/16+5)}
	for i := range keys {
		state[fmt.Sprintf("key %05d", i)] = fmt.Sprintf("value %d %s", i, strings.Repeat("v", 100))
	}
	names := slices.Sorted(maps.Keys(state))
	seq := uint64(0)
	for part := range slices.Chunk(names, 1+len(names)/8) {
		seq++
		var writes []statemachine.Write
		for _, k := range part {
			writes = append(writes, put(k, state[k]))
		}
		write(t, s, set(seq, writes...))
	}
	checkpoint(t, s, 8)
	write(t, s, set(9, put("above", "1")), set(10, put("key 00000", "another")))
	return s, dir, state
}

// repair rebuilds the store's state after seq in a new generation, so that it is the wanted state. It returns how
// much was written.
func repair(t *testing.T, s *Store, seq uint64, want map[string]string) (fetched int) {
	t.Helper()
	g, err := s.Renew(seq)
	if err != nil {
		t.Fatal(err)
	}
	for whole := false; !whole; {
		lacking := missing(t, g, want)
		fetched += len(lacking)
		stageWrite(t, g, lacking)
		if whole, err = g.Complete(); err != nil {
			t.Fatal(err)
		}
	}
	adopt(t, g, rootOf(want))
	return fetched
}

func rootOf(state map[string]string) [32]byte { return model{state}.root(0) }

// K2, X5: a state below what was executed is rebuilt in a new generation. Open views of the old generation can still
// be read, and the old generation is removed when the last of them is closed.
func TestK2_AStateIsTakenInAnewBelowWhatWasExecuted(t *testing.T) {
	s, dir, state := filled(t, 3000)
	before, err := s.View(10)
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(state)
	delete(want, "key 00007")
	want["key 00008"] = "what the others have"
	if n := repair(t, s, 8, want); n != 2 {
		t.Errorf("%d writes for two differences", n)
	}
	requireState(t, s, 8, want)
	if max := s.MaxVersion(); max != 8 {
		t.Errorf("the new generation holds %d", max)
	}
	if value, _, err := before.Get([]byte("key 00000")); err != nil || string(value) != "another" {
		t.Errorf("an open view of the old generation reads %q, %v", value, err)
	}
	if here, next, err := Generations(dir); !here || !next || err != nil {
		t.Fatalf("generations while the old one is read: %v, %v, %v", here, next, err)
	}
	before.Close()
	if here, next, err := Generations(dir); here || !next || err != nil {
		t.Fatalf("generations behind the last view: %v, %v, %v", here, next, err)
	}
	write(t, s, set(9, put("above", "2"))) // batch 9 is executed again
	want["above"] = "2"
	if checkpoint(t, s, 12) != rootOf(want) {
		t.Error("the root behind the repair is another one")
	}
	if repair(t, s, 12, want) != 0 { // the next generation uses the directory that is free
		t.Error("a state that is right is fetched")
	}
	if here, next, err := Generations(dir); !here || next || err != nil {
		t.Fatalf("generations behind a second repair: %v, %v, %v", here, next, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if load(t, s, 12) != rootOf(want) {
		t.Error("the state after a start is another one")
	}
}

// X6: the store is unchanged until a new generation is adopted. A crash before that leaves both generations; closing
// the stage without Adopt leaves no files of the new one.
func TestX6_ACrashBeforeTheSwitchLeavesTheOldGeneration(t *testing.T) {
	s, dir, state := filled(t, 500)
	g, err := s.Renew(8)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Adopt(); err == nil {
		t.Fatal("a generation was adopted that was not completed")
	}
	if whole, err := g.Complete(); !whole || err != nil {
		t.Fatal(whole, err)
	}
	if get(t, s, 10, "above") != "1" {
		t.Error("the store is another one before the switch")
	}
	crashed := filepath.Join(t.TempDir(), "state")
	for _, from := range []string{dir, Next(dir)} {
		if err := os.Rename(crashImage(t, from), crashed+strings.TrimPrefix(from, dir)); err != nil {
			t.Fatal(err)
		}
	}
	g.Close()
	if _, next, err := Generations(dir); next || err != nil {
		t.Errorf("what was given up is there: %v, %v", next, err)
	}
	for _, c := range []struct {
		next bool
		at   uint64
		want map[string]string
	}{{false, 8, state}, {true, 8, state}} {
		copied := filepath.Join(t.TempDir(), "state")
		for _, suffix := range []string{"", nextSuffix} {
			if err := os.CopyFS(copied+suffix, os.DirFS(crashed+suffix)); err != nil {
				t.Fatal(err)
			}
		}
		if err := Settle(copied, c.next); err != nil {
			t.Fatal(err)
		}
		if here, next, err := Generations(copied); !here || next || err != nil {
			t.Fatalf("settled: %v, %v, %v", here, next, err)
		}
		if load(t, open(t, copied), c.at) != rootOf(c.want) {
			t.Errorf("settled on the next one %v: another state", c.next)
		}
	}
}

// tables lists the table files of a store.
func tables(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no tables in %s: %v", dir, err)
	}
	return names
}

// flipIn flips a bit in the middle of a file.
func flipIn(t *testing.T, path string, at float64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	off := int64(at * float64(info.Size()))
	if _, err := f.ReadAt(b, off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 4
	if _, err := f.WriteAt(b, off); err != nil {
		t.Fatal(err)
	}
}

// scrubbed scrubs the whole store and returns what was found.
func scrubbed(t *testing.T, s *Store) Findings {
	t.Helper()
	p, err := s.Scrub()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for steps := 0; !p.Step(10_000); steps++ {
		if steps > 10_000 {
			t.Fatal("the pass does not end")
		}
	}
	return p.Findings()
}

// K2: a scrub of a running store finds one damaged table. The repair fetches the entries of that table, not the whole
// state. Scrubs before the damage and after the repair find nothing.
func TestK2_ADamagedTableIsFoundAndCostsWhatItHeld(t *testing.T) {
	s, dir, state := filled(t, 6000)
	if err := badgerOf(s).Flatten(1); err != nil {
		t.Fatal(err)
	}
	if f := scrubbed(t, s); f.Damaged() || f.Keys != uint64(len(state)) || f.Bytes == 0 {
		t.Fatalf("a whole state: %+v", f)
	}
	victims := tables(t, dir)
	flipIn(t, victims[len(victims)/2], 0.3)
	f := scrubbed(t, s)
	if !f.Damaged() || f.Files != 1 || len(f.First) == 0 {
		t.Fatalf("a flipped bit: %+v", f)
	}
	fetched := repair(t, s, 8, state)
	t.Logf("%+v; %d of %d keys fetched, %d tables", f, fetched, len(state), len(victims))
	if fetched > len(state)/2 {
		t.Errorf("%d of %d keys were fetched for one bit", fetched, len(state))
	}
	requireState(t, s, 8, state)
	if f := scrubbed(t, s); f.Damaged() {
		t.Errorf("behind the repair: %+v", f)
	}
}

// K2: a scrub compares the entries on the disk with the tree: it finds a changed value, a missing key and an extra key.
func TestK2_APassComparesTheEntriesWithTheTree(t *testing.T) {
	for name, c := range map[string]struct {
		change Entry
		is     func(f *Findings) bool
	}{
		"another value": {Entry{Key: stored([]byte("key 00003")), Value: []byte("wrong"), Version: 8}, func(f *Findings) bool { return f.Changed == 1 }},
		"a missing key": {Entry{Key: stored([]byte("key 00003")), Delete: true, Version: 8}, func(f *Findings) bool { return f.Missing == 1 }},
		"an extra key":  {Entry{Key: stored([]byte("nobody's")), Value: []byte("1"), Version: 8}, func(f *Findings) bool { return f.Extra == 1 }},
		"a lost part":   {Entry{Key: storedPart(2, []byte("long")), Delete: true, Version: 8}, func(f *Findings) bool { return f.Changed == 1 }},
	} {
		s, _, state := filled(t, 100)
		if err := s.engine.Write([]Entry{c.change}); err != nil {
			t.Fatal(err)
		}
		if f := scrubbed(t, s); !c.is(&f) || !f.Damaged() || len(f.First) != 1 {
			t.Errorf("%s: %+v", name, f)
		}
		if fetched := repair(t, s, 8, state); fetched != 1 {
			t.Errorf("%s: %d writes", name, fetched)
		}
		if f := scrubbed(t, s); f.Damaged() {
			t.Errorf("%s, behind the repair: %+v", name, f)
		}
	}
}

// X4, K2: a start continues without a damaged or missing table. Only the entries of that table must be fetched.
func TestX4_AStartLeavesADamagedTableOut(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"cut":     func(path string) error { return os.Truncate(path, 1000) },
		"missing": os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
	} {
		s, dir, state := filled(t, 6000)
		if err := badgerOf(s).Flatten(1); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		victims := tables(t, dir)
		if err := damage(victims[len(victims)/2]); err != nil {
			t.Fatal(err)
		}
		for range 2 { // at the second start, the manifest does not list the table any more
			s = open(t, dir)
			if load(t, s, 8) == rootOf(state) {
				t.Fatalf("%s: the table held nothing", name)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		s = open(t, dir)
		load(t, s, 0)
		fetched := repair(t, s, 8, state)
		t.Logf("%s: %d of %d keys fetched, %d tables", name, fetched, len(state), len(victims))
		if fetched == 0 || fetched > len(state)/2 {
			t.Errorf("%s: %d of %d keys fetched", name, fetched, len(state))
		}
		requireState(t, s, 8, state)
	}
}
