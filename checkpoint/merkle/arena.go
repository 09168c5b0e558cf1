package merkle

// The tree's parts live in chunks without pointers and refer to each other by number: the collector has nothing to scan
// in a tree of millions of keys, a part never moves, and a tree and its snapshots share parts by number.

// chunkSize is how many parts are allocated at once: a power of two, small enough that an empty store stays small.
const (
	chunkBits = 10
	chunkSize = 1 << chunkBits
)

// arena hands out numbered parts of one kind and takes them back.
type arena[T any] struct {
	chunks [][]T
	free   []uint32
	next   uint32 // parts below next were handed out at least once
}

func (a *arena[T]) at(i uint32) *T { return &a.chunks[i>>chunkBits][i&(chunkSize-1)] }

// alloc returns the number of a zeroed part.
func (a *arena[T]) alloc() uint32 {
	if n := len(a.free); n > 0 {
		i := a.free[n-1]
		a.free = a.free[:n-1]
		var zero T
		*a.at(i) = zero
		return i
	}
	if int(a.next>>chunkBits) == len(a.chunks) {
		a.chunks = append(a.chunks, make([]T, chunkSize))
	}
	i := a.next
	a.next++
	return i
}

func (a *arena[T]) release(i uint32) { a.free = append(a.free, i) }

// live returns how many parts are handed out.
func (a *arena[T]) live() int { return int(a.next) - len(a.free) }
