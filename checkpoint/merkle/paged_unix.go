//go:build unix

package merkle

import (
	"os"

	"golang.org/x/sys/unix"
)

// paged is memory mapped from the system: either a file without a name, or memory without a file.
type paged struct {
	memory  Memory
	system  bool     // memory without a file
	file    *os.File // nil if there is none, or if it could not be made
	extents [][]byte
	used    int64 // bytes allocated in the last extent
}

func newPaged(m Memory) *paged { return &paged{memory: m, file: nameless(m.Dir)} }

func newSystem(Memory) *paged { return &paged{system: true} }

// take returns zeroed bytes, aligned to 8, or nil if it cannot. In a file their blocks are allocated beforehand, so
// that using them cannot fail for lack of disk space.
func (p *paged) take(size int64) []byte {
	if p.file == nil && !p.system {
		return nil
	}
	if n := len(p.extents); n == 0 || p.used+size > extentBytes {
		if !p.extend() {
			return nil
		}
	}
	last := p.extents[len(p.extents)-1]
	bytes := last[p.used : p.used+size : p.used+size]
	p.used += (size + 7) &^ 7
	return bytes
}

// extend maps one more extent.
func (p *paged) extend() bool {
	if p.system {
		bytes, err := unix.Mmap(-1, 0, extentBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			return false
		}
		p.extents, p.used = append(p.extents, bytes), 0
		return true
	}
	if p.memory.Room != nil && !p.memory.Room(extentBytes) {
		return false
	}
	at := int64(len(p.extents)) * extentBytes
	if !p.allocate(at) {
		return false
	}
	bytes, err := unix.Mmap(int(p.file.Fd()), at, extentBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return false
	}
	// The system need not read ahead: parts that are neighbours in memory are seldom used together.
	_ = unix.Madvise(bytes, unix.MADV_RANDOM)
	p.extents, p.used = append(p.extents, bytes), 0
	return true
}

// allocate gives an extent its blocks on the disk, by writing zeros, since not every system can reserve a range.
func (p *paged) allocate(at int64) bool {
	zeros := make([]byte, 1<<20)
	for end := at + extentBytes; at < end; at += int64(len(zeros)) {
		if _, err := p.file.WriteAt(zeros, at); err != nil {
			return false
		}
	}
	return true
}

// cool lets the system take back the memory of all pages.
func (p *paged) cool() {
	for _, bytes := range p.extents {
		// The system may ignore it; no data is lost, because the mapping is shared.
		_ = unix.Madvise(bytes, unix.MADV_DONTNEED)
	}
}

// close unmaps everything. Nothing may refer to the parts any more.
func (p *paged) close() {
	for _, bytes := range p.extents {
		_ = unix.Munmap(bytes) // the file has no name, so it disappears with its last reference
	}
	if p.file != nil {
		_ = p.file.Close()
	}
}
