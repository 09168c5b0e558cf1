package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"tagma/statemachine"
)

// C9: a walk yields one version of every key between its bounds, in either order: the newest one that its view sees,
// even if that is a deletion. The test includes keys with many versions, and keys with no other key between them.
func TestWalk_YieldsOneVersionOfEveryKeyInBothOrders(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := open(t, t.TempDir())
	load(t, s, 0)
	keys := []string{"", "\x00", "\x00\x00", "a", "a\x00", "a\x00\xff", "a\xff", "a\xff\xff", "b", "b\x00", "hot", "hotter", "\xff", "\xff\xff"}
	states := []map[string]string{{}}
	for seq := uint64(1); seq <= 60; seq++ {
		state := map[string]string{}
		for k, v := range states[seq-1] {
			state[k] = v
		}
		writes := map[string]statemachine.Write{"hot": put("hot", fmt.Sprint("hot ", seq))}
		for range 1 + rng.IntN(4) {
			k := keys[rng.IntN(len(keys))]
			writes[k] = put(k, fmt.Sprint(k, seq))
			if rng.IntN(2) == 0 {
				writes[k] = remove(k)
			}
		}
		var sorted []statemachine.Write
		for k, w := range writes {
			if state[k] = string(w.Value); w.Delete {
				state[k] = "deleted"
			}
			sorted = append(sorted, w)
		}
		slices.SortFunc(sorted, func(a, b statemachine.Write) int { return slices.Compare(a.Key, b.Key) })
		write(t, s, set(seq, sorted...))
		states = append(states, state)
	}
	for range 400 {
		at := 1 + rng.Uint64N(60)
		start, end := keys[rng.IntN(len(keys))], keys[rng.IntN(len(keys))]
		var want []string
		for k, v := range states[at] {
			if start <= k && (k < end || end == "") {
				want = append(want, fmt.Sprintf("%q %s", k, v))
			}
		}
		slices.Sort(want)
		limit := []byte(end)
		if end == "" {
			limit = nil
		}
		for _, down := range []bool{false, true} {
			got := walk(t, s, at, []byte(start), limit, down)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("walk [%q, %q) at %d, down %t: got %q, want %q", start, end, at, down, got, want)
			}
		}
	}
}

func walk(t *testing.T, s *Store, at uint64, start, end []byte, down bool) (found []string) {
	t.Helper()
	v, err := s.View(at)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var last []byte
	for e, err := range v.Walk(start, end, down) {
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 && (slices.Compare(last, e.Key) < 0) == down {
			t.Fatalf("%q follows %q, down %t", e.Key, last, down)
		}
		last = e.Key
		value := string(e.Value)
		if e.Deleted {
			value = "deleted"
		}
		found = append(found, fmt.Sprintf("%q %s", e.Key, value))
	}
	return found
}

// C9: a walk costs only as much as there is between its bounds, however often keys beside them were written and
// deleted.
func TestWalk_CostsWhatLiesBetweenItsBounds(t *testing.T) {
	s := open(t, t.TempDir())
	load(t, s, 0)
	for seq := uint64(1); seq <= 500; seq++ {
		writes := []statemachine.Write{put("m", fmt.Sprint(seq)), put("n", fmt.Sprint(seq)), put(fmt.Sprintf("a%03d", seq), "")}
		if seq > 1 {
			writes = append(writes, remove(fmt.Sprintf("a%03d", seq-1)), remove(fmt.Sprintf("z%03d", seq)))
		}
		write(t, s, set(seq, writes...))
	}
	v, err := s.View(500)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	snapshot := v.(*view).snapshot.(badgerSnapshot)
	for _, down := range []bool{false, true} {
		it := snapshot.versions(keyPrefix, down)
		counted, found := &counting{Iterator: it}, ""
		yield := func(item Item) bool {
			value, err := item.ValueCopy(nil)
			found += fmt.Sprintf("%s=%s %v ", item.Key()[1:], value, err)
			return true
		}
		if down {
			snapshot.down(counted, stored([]byte("m")), stored([]byte("o")), yield)
		} else {
			snapshot.up(counted, stored([]byte("m")), stored([]byte("o")), yield)
		}
		it.Close()
		if want := map[bool]string{false: "m=500 <nil> n=500 <nil> ", true: "n=500 <nil> m=500 <nil> "}[down]; found != want {
			t.Errorf("down %t: found %q", down, found)
		}
		if counted.steps > 4*manyVersions {
			t.Errorf("down %t: %d steps for two keys", down, counted.steps)
		}
	}
}

// counting counts the steps of an iterator.
type counting struct {
	*badger.Iterator
	steps int
}

func (c *counting) Next() {
	c.steps++
	c.Iterator.Next()
}

func (c *counting) Seek(key []byte) {
	c.steps++
	c.Iterator.Seek(key)
}
