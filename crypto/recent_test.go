package crypto

import "testing"

func TestRecent_NeverHoldsMoreThanItsBound(t *testing.T) {
	const bound = 10
	r := newRecent[int, int](bound)
	for i := range 1000 {
		r.put(i, i)
		r.get(i / 2)
		if r.len() > bound {
			t.Fatalf("%d entries after %d, the bound is %d", r.len(), i+1, bound)
		}
	}
}

func TestRecent_HoldsTheHalfUsedLast(t *testing.T) {
	r := newRecent[int, int](10)
	for i := range 100 {
		r.put(i, -i)
		r.get(0) // in use all the time
	}
	for _, i := range []int{0, 96, 97, 98, 99} {
		if value, ok := r.get(i); !ok || value != -i {
			t.Errorf("entry %d: %d, %t", i, value, ok)
		}
	}
	if _, ok := r.get(50); ok {
		t.Error("entry 50 was not used for long and is still held")
	}
}

func TestRecent_AnEntryPutAgainIsHeldOnce(t *testing.T) {
	r := newRecent[int, int](4)
	for i := range 3 { // the third entry begins a new generation
		r.put(i, 1)
	}
	r.put(0, 2)
	if value, _ := r.get(0); value != 2 || r.len() != 3 {
		t.Errorf("value %d of %d entries, want 2 of 3", value, r.len())
	}
}

func TestRecent_WithoutABoundHoldsNothing(t *testing.T) {
	for _, bound := range []int{-1, 0, 1} {
		r := newRecent[int, int](bound)
		r.put(1, 1)
		if _, ok := r.get(1); ok || r.len() != 0 {
			t.Errorf("bound %d: an entry is held", bound)
		}
	}
}
