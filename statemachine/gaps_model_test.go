package statemachine

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Gaps must behave like a set of keys: add inserts keys and cut removes them. No two gaps touch, and the count of their
// bytes is right.
func TestGaps_AreASetOfKeys(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		g := gaps{least: 1}
		in := map[string]bool{}
		name := func(i int) string { return fmt.Sprintf("%03d", i) }
		for range 300 {
			a, b := rng.IntN(100), rng.IntN(101)
			switch rng.IntN(4) {
			case 0:
				for i := a; i < b; i++ {
					in[name(i)] = true
				}
				g.add([]byte(name(a)), []byte(name(b)), 1, false)
			case 1:
				delete(in, name(a))
				g.cut([]byte(name(a)))
			case 2:
				var keys [][]byte
				for range rng.IntN(10) {
					key := name(rng.IntN(100))
					delete(in, key)
					keys = append(keys, []byte(key))
				}
				g.cutAll(keys)
			case 3:
				g.add([]byte(name(b)), []byte(name(b)), 9, true)
			}
			if err := holds(&g, in); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

// holds compares the gaps with the keys that they must contain.
func holds(g *gaps, in map[string]bool) error {
	bytes, last := 0, ""
	for _, x := range g.list {
		if string(x.from) <= last && last != "" || string(x.from) >= string(x.to) {
			return fmt.Errorf("a gap [%q, %q) follows %q", x.from, x.to, last)
		}
		last = string(x.to)
		bytes += x.size()
	}
	if bytes != g.bytes {
		return fmt.Errorf("%d bytes are counted as %d", bytes, g.bytes)
	}
	for i := range 100 {
		key := fmt.Sprintf("%03d", i)
		x, ok := g.above([]byte(key))
		y, below := g.below([]byte(key + "\x00"))
		inside := ok && string(x.from) <= key
		if inside != in[key] || inside != (below && key < string(y.to)) {
			return fmt.Errorf("%s: inside %t, want %t; below it is [%q, %q)", key, inside, in[key], y.from, y.to)
		}
	}
	return nil
}

// S4: the memory of gaps is bounded, however many gaps a client causes. The gaps with the most deleted keys are kept.
func TestGaps_AreBoundedAndKeepTheWidest(t *testing.T) {
	g := gaps{least: leastGap}
	g.add([]byte("m"), []byte("n"), 100_000, false)
	for i := range 3 * maxGaps {
		g.add(fmt.Appendf(nil, "a%06d", i), fmt.Appendf(nil, "a%06d\x00", i), leastGap, false)
		if len(g.list) > maxGaps {
			t.Fatalf("%d gaps", len(g.list))
		}
	}
	for i := range 3000 { // long keys
		key := fmt.Appendf(nil, "b%04000d", i)
		g.add(key, append(key, 0), leastGap, false)
		if g.bytes > maxGapBytes {
			t.Fatalf("%d bytes", g.bytes)
		}
	}
	if x, ok := g.above([]byte("m")); !ok || string(x.from) != "m" {
		t.Errorf("the widest gap is gone")
	}
	var keys [][]byte
	for i := range 3 * maxGaps {
		keys = append(keys, fmt.Appendf(nil, "m%06d", i))
	}
	if g.cutAll(keys); len(g.list) > maxGaps {
		t.Errorf("%d gaps after many cuts", len(g.list))
	}
	if g.add([]byte("x"), []byte("y"), leastGap-1, false); len(g.list) > 0 && string(g.list[len(g.list)-1].to) == "y" {
		t.Error("too few deleted keys make a gap")
	}
}
