package crypto

import "sync"

// recent is a bounded map that drops roughly the entries that were not used for longest. Entries are in two
// generations, and each generation holds at most half of the bound. Using an entry moves it to the young generation.
// When the young generation is full, the old one is dropped, and the young one becomes the old one. So the map always
// holds the entries that were used last, at least half of the bound, and needs no list of the order of use.
//
// It is safe for concurrent use. With a bound below 2 it holds nothing.
type recent[K comparable, V any] struct {
	mu         sync.Mutex
	half       int // entries of one generation
	young, old map[K]V
}

func newRecent[K comparable, V any](bound int) *recent[K, V] {
	return &recent[K, V]{half: max(bound, 0) / 2, young: map[K]V{}}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, ok := r.young[key]; ok {
		return value, true
	}
	value, ok := r.old[key]
	if ok {
		delete(r.old, key)
		r.insert(key, value)
	}
	return value, ok
}

func (r *recent[K, V]) put(key K, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.old, key)
	r.insert(key, value)
}

// insert adds to the young generation an entry that the old one does not hold.
func (r *recent[K, V]) insert(key K, value V) {
	if r.half == 0 {
		return
	}
	if _, held := r.young[key]; !held && len(r.young) >= r.half {
		r.old, r.young = r.young, make(map[K]V, r.half)
	}
	r.young[key] = value
}

func (r *recent[K, V]) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.young) + len(r.old)
}
