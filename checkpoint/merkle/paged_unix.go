//go:build unix

package merkle

import (
	"os"

	"golang.org/x/sys/unix"
)

// paged is memory of the system: a file without a name whose bytes are memory, or memory alone.
type paged struct {
	memory  Memory
	system  bool     // no file
	file    *os.File // nil if it could not be made
	extents [][]byte
	used    int64 // bytes of the last extent
}

func newPaged(m Memory) *paged { return &paged{memory: m, file: nameless(m.Dir)} }

func newSystem(Memory) *paged { return &paged{system: true} }

// take returns zeroed bytes, aligned to 8, or nil if there are none. Their blocks are allocated: using them cannot fail for
// want of space.
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
	_ = unix.Madvise(bytes, unix.MADV_RANDOM) // advice: what is read beside a part is seldom wanted
	p.extents, p.used = append(p.extents, bytes), 0
	return true
}

// allocate gives an extent its blocks. Zeros are written rather than a range reserved: that is possible everywhere.
func (p *paged) allocate(at int64) bool {
	zeros := make([]byte, 1<<20)
	for end := at + extentBytes; at < end; at += int64(len(zeros)) {
		if _, err := p.file.WriteAt(zeros, at); err != nil {
			return false
		}
	}
	return true
}

// cool lets go of the memory of all pages.
func (p *paged) cool() {
	for _, bytes := range p.extents {
		_ = unix.Madvise(bytes, unix.MADV_DONTNEED) // advice; of a shared mapping nothing is lost
	}
}

// close gives everything back, once nothing refers to the parts any more.
func (p *paged) close() {
	for _, bytes := range p.extents {
		_ = unix.Munmap(bytes) // the file has no name: it goes with the last reference
	}
	if p.file != nil {
		_ = p.file.Close()
	}
}
