package merkle

import (
	"runtime"
	"unsafe"
)

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

// alloc returns the number of a zeroed part of the arena's pool.
func (a *arena[T]) alloc(owner *pool) uint32 {
	if n := len(a.free); n > 0 {
		i := a.free[n-1]
		a.free = a.free[:n-1]
		var zero T
		*a.at(i) = zero
		return i
	}
	if int(a.next>>chunkBits) == len(a.chunks) {
		a.chunks = append(a.chunks, chunkOf[T](&owner.quarry, owner))
	}
	i := a.next
	a.next++
	return i
}

func (a *arena[T]) release(i uint32) { a.free = append(a.free, i) }

// live returns how many parts are handed out.
func (a *arena[T]) live() int { return int(a.next) - len(a.free) }

// Memory says where the parts of a tree lie. The zero value is the heap.
type Memory struct {
	// Heap is how many bytes of parts lie in memory at most. It is taken from the system, and not from Go's heap, which may
	// grow by as much garbage as what is in use allows. Parts beyond lie in a file without a name, which is mapped: those
	// that are not used cost disk, and memory only as long as the system has it to spare.
	Heap int64
	// Dir holds that file. Empty, everything is on the heap.
	Dir string
	// Room reports whether Dir has room for so many bytes more. Where it has none, the heap takes the parts.
	Room func(bytes int64) bool
}

// quarry is where the arenas of a pool get their chunks from.
type quarry struct {
	memory Memory
	inside int64  // bytes handed out that are not in the file
	system *paged // memory of the system, nil as long as none is needed
	inFile *paged // the file, likewise
}

// chunkOf returns a chunk of zeroed parts, which have no pointers.
func chunkOf[T any](q *quarry, owner *pool) []T {
	var part T
	var bytes []byte
	switch size := int64(unsafe.Sizeof(part)) * chunkSize; {
	case q.memory.Dir == "":
	case q.inside+size <= q.memory.Heap:
		bytes = mapped(&q.system, newSystem, q, owner).take(size)
		q.inside += size
	default:
		if bytes = mapped(&q.inFile, newPaged, q, owner).take(size); bytes == nil {
			q.inside += size
		}
	}
	if bytes == nil {
		return make([]T, chunkSize)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(bytes))), chunkSize)
}

// mapped returns what p points to, made at first. It is given back when nobody has the owner any more: nobody keeps a
// pointer to a part beyond a call of the tree or a snapshot, and each call holds the pool's lock.
func mapped(p **paged, begin func(Memory) *paged, q *quarry, owner *pool) *paged {
	if *p == nil {
		*p = begin(q.memory)
		runtime.AddCleanup(owner, (*paged).close, *p)
	}
	return *p
}

// cool lets the memory go that the paged parts occupy. What is used again comes back from the file, or from what the system
// still has of it.
func (q *quarry) cool() {
	if q.inFile != nil {
		q.inFile.cool()
	}
}

// extentBytes is how much is mapped at once.
const extentBytes = 16 << 20
