package journal

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

var errCrashed = errors.New("the machine has crashed")

// disk is a file system in memory that a test can crash, and whose calls a test can make fail. Writes go to a cache;
// Sync and SyncDir make them durable. The disk counts the calls that change something, so that a test can choose the
// call at which a fault happens.
type disk struct {
	mu      sync.Mutex
	names   map[string]*inode // as the running system sees them
	durable map[string]*inode
	pending []nameChange // not yet durable
	locks   map[string]bool

	calls   int
	crashAt int   // the call at which the machine stops; 0: never
	failAt  int   // the call that fails; 0: none
	failure error // with this
	lying   bool  // Sync returns nil and does nothing
	crashed bool
}

type inode struct {
	cached, disk []byte
	dirty        map[int]bool // sectors written since the last sync, successful or not
}

func newDisk() *disk {
	return &disk{names: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]bool{}}
}

// step counts one call and says whether it fails.
func (d *disk) step() error {
	d.calls++
	if d.crashed || d.calls == d.crashAt {
		d.crashed = true
		return errCrashed
	}
	if d.calls == d.failAt {
		return d.failure
	}
	return nil
}

func (d *disk) Create(path string) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[path] != nil {
		return nil, fs.ErrExist
	}
	n := &inode{dirty: map[int]bool{}}
	return diskFile{d, n}, d.change(nameChange{node: n, add: path})
}

func (d *disk) Open(path string, _ bool) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[path] == nil {
		return nil, fs.ErrNotExist
	}
	return diskFile{d, d.names[path]}, nil
}

func (d *disk) Lock(dir string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[dir] {
		return nil, ErrInUse
	}
	d.locks[dir] = true
	return unlock(func() { delete(d.locks, dir) }), nil
}

type unlock func()

func (u unlock) Close() error { u(); return nil }

type diskFile struct {
	d *disk
	n *inode
}

func (f diskFile) Close() error { return nil }

func (f diskFile) Size() (int64, error) { return int64(len(f.n.cached)), nil }

func (f diskFile) ReadAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if at >= int64(len(f.n.cached)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.cached[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt changes the cache even if it fails or the machine stops during it. How much of the change survives is drawn
// at the crash.
func (f diskFile) WriteAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.crashed {
		return 0, errCrashed
	}
	err := f.d.step()
	if err != nil && !errors.Is(err, errCrashed) {
		b = b[:len(b)/sectorBytes/2*sectorBytes]
	}
	f.n.write(b, int(at))
	return len(b), err
}

func (n *inode) write(b []byte, at int) {
	if grow := at + len(b) - len(n.cached); grow > 0 {
		n.cached = append(n.cached, make([]byte, grow)...)
	}
	copy(n.cached[at:], b)
	for i := at / sectorBytes; i*sectorBytes < at+len(b); i++ {
		n.dirty[i] = true
	}
}

// Sync writes the dirty sectors. A failed one forgets that they are dirty, as Linux does: a later Sync returns nil and
// they are still not on the disk.
func (f diskFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.lying {
		return nil
	}
	if err := f.d.step(); err != nil {
		if !errors.Is(err, errCrashed) {
			clear(f.n.dirty)
		}
		return err
	}
	f.n.flush(slices.Sorted(maps.Keys(f.n.dirty)))
	return nil
}

func (n *inode) flush(sectors []int) {
	for _, i := range sectors {
		end := min((i+1)*sectorBytes, len(n.cached))
		if grow := end - len(n.disk); grow > 0 {
			n.disk = append(n.disk, make([]byte, grow)...)
		}
		copy(n.disk[i*sectorBytes:end], n.cached[i*sectorBytes:end])
		delete(n.dirty, i)
	}
}

// loss says which unsynced writes a crash takes.
type loss int

const (
	loseNothing loss = iota // only the process was killed, so the system's cache still exists
	loseAll
	loseTail  // the end of each file, and the latest changes of names
	loseHoles // at random
	lossKinds
)

// restart brings the machine (or, with loseNothing, the process) up again. No call fails from then on.
func (d *disk) restart(l loss, rng *rand.Rand) {
	d.crashed, d.crashAt, d.failAt, d.locks = false, 0, 0, map[string]bool{}
	if l == loseNothing {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		d.names[path].flush(survivors(slices.Sorted(maps.Keys(d.names[path].dirty)), l, rng))
	}
	for _, c := range survivors(d.pending, l, rng) {
		c.apply(d.durable)
	}
	d.pending, d.names = nil, maps.Clone(d.durable)
	for _, n := range d.names {
		n.cached = slices.Clone(n.disk)
		clear(n.dirty)
	}
}

func survivors[T any](all []T, l loss, rng *rand.Rand) []T {
	if l == loseAll || len(all) == 0 {
		return nil
	}
	if l == loseTail {
		return all[:rng.IntN(len(all)+1)]
	}
	var kept []T
	for _, x := range all {
		if rng.IntN(2) == 0 {
			kept = append(kept, x)
		}
	}
	return kept
}
