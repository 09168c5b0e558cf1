package merkle

import (
	"runtime"
	"unsafe"
)

// The tree's parts (leaves and nodes) lie in chunks without Go pointers and refer to each other by number. So the
// garbage collector has nothing to scan in a tree of millions of keys, a part never moves, and a tree and its snapshots
// can share parts.

// chunkSize is how many parts are allocated at once: a power of two, and small enough that a small store takes little
// memory.
const (
	chunkBits = 10
	chunkSize = 1 << chunkBits
)

// arena allocates numbered parts of one kind and takes them back.
type arena[T any] struct {
	chunks [][]T
	free   []uint32
	next   uint32 // all parts below this number were allocated at least once
}

func (a *arena[T]) at(i uint32) *T { return &a.chunks[i>>chunkBits][i&(chunkSize-1)] }

// alloc returns the number of a zeroed part. Owner is the pool to which the arena belongs.
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

// live returns how many parts are allocated.
func (a *arena[T]) live() int { return int(a.next) - len(a.free) }

// Memory says where the parts of a tree are kept. The zero value stands for the heap.
type Memory struct {
	// Heap is the most bytes of parts that are kept in memory. That memory is mapped from the system instead of Go's heap,
	// because Go lets its heap grow by as much garbage as there is live memory. Further parts are kept in a mapped file
	// without a name: parts that are not used cost disk space, and memory only while the system has some to spare.
	Heap int64
	// Dir is the directory of that file. If it is empty, all parts are on Go's heap.
	Dir string
	// Room reports whether Dir has room for so many more bytes. If it has not, the heap takes the parts.
	Room func(bytes int64) bool
}

// quarry allocates memory for the arenas of a pool: from the system, from a mapped file, or from Go's heap.
type quarry struct {
	memory Memory
	inside int64  // bytes allocated outside the file
	system *paged // memory mapped from the system; nil until some is needed
	inFile *paged // the mapped file; nil until it is needed
}

// chunkOf returns a chunk of zeroed parts; T must not contain pointers.
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

// mapped returns what p points to, and makes it at the first call. It is closed when the garbage collector frees the
// owner. That is safe, because nothing keeps a pointer to a part after a call of the tree or a snapshot, and during
// each call the pool is locked.
func mapped(p **paged, begin func(Memory) *paged, q *quarry, owner *pool) *paged {
	if *p == nil {
		*p = begin(q.memory)
		runtime.AddCleanup(owner, (*paged).close, *p)
	}
	return *p
}

// cool tells the system that it may take back the memory of the mapped parts. Parts that are used again are read from
// the file, if their memory was taken.
func (q *quarry) cool() {
	if q.inFile != nil {
		q.inFile.cool()
	}
}

// extentBytes is how many bytes are mapped at once.
const extentBytes = 16 << 20
