package statemachine

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
)

// The cache returns the newest value of a key or nothing, whatever was dropped, became longer or was deleted meanwhile.
// It stays within its bound.
func TestRecent_HoldsTheNewestValueOrNone(t *testing.T) {
	const chunks = 4
	rng := rand.New(rand.NewPCG(1, 1))
	r, model := newRecent(chunks*chunkBytes), map[string]string{}
	hits, misses := 0, 0
	for range 200_000 {
		key := fmt.Sprint(rng.IntN(3000))
		switch rng.IntN(10) {
		case 0:
			delete(model, key)
			r.forget([]byte(key))
		case 1, 2, 3:
			value := string(bytes.Repeat([]byte{byte(rng.IntN(256))}, rng.IntN(200)))
			if rng.IntN(500) == 0 {
				value = string(make([]byte, chunkBytes/4))
			}
			model[key] = value
			r.set([]byte(key), []byte(value))
		default:
			got, ok := r.get([]byte(key))
			want, exists := model[key]
			if ok && (!exists || string(got) != want) {
				t.Fatalf("%s: got %q, want %q, %t", key, got, want, exists)
			}
			if exists && ok {
				hits++
			} else if exists {
				misses++
			}
		}
	}
	if hits < 1000 || misses < 1000 {
		t.Errorf("%d hits and %d misses do not test it", hits, misses)
	}
	if len(r.chunks) != chunks || len(r.index) > 3000 {
		t.Errorf("%d chunks, %d entries", len(r.chunks), len(r.index))
	}
}

// An operation may hold a value while later reads remove it from the cache.
func TestRecent_AValueOutlivesItsPlace(t *testing.T) {
	r := newRecent(0)
	r.set([]byte("k"), []byte("value"))
	value, _ := r.get([]byte("k"))
	for i := range 10_000 {
		r.set(fmt.Append(nil, i), make([]byte, 100))
	}
	if _, ok := r.get([]byte("k")); ok || string(value) != "value" {
		t.Errorf("held %t, value %q", ok, value)
	}
}

// one is a view with one key. It counts reads.
type one struct{ reads int }

func (v *one) Get(key []byte) ([]byte, bool, error) {
	v.reads++
	return []byte("v"), string(key) == "k", nil
}
func (*one) Scan(_, _ []byte) iter.Seq2[Entry, error]         { return nil }
func (*one) Walk(_, _ []byte, _ bool) iter.Seq2[Entry, error] { return nil }
func (*one) Close()                                           {}

func TestRecent_AReadIsRemembered(t *testing.T) {
	base := &one{}
	view := &remembered{base, newRecent(0)}
	for range 3 {
		if v, found, err := view.Get([]byte("k")); string(v) != "v" || !found || err != nil {
			t.Fatal(v, found, err)
		}
	}
	if _, found, _ := view.Get([]byte("absent")); found || base.reads != 2 {
		t.Errorf("found %t after %d reads", found, base.reads)
	}
}
