package journal

import (
	"errors"
	"path/filepath"
	"sync"
)

// spare is a zeroed file that is ready to become the next segment.
type spare struct {
	mu      sync.Mutex
	file    File
	sectors int64
	closed  bool
}

// Preallocate zeroes the file of the next segment in advance, which is most of the work of Rotate. It may run on a
// goroutine of its own at the same time as all other methods. Without it the journal works, but more slowly. An error
// is not final, because no record depends on this file.
func (j *Journal) Preallocate() error {
	s := &j.spare
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil || s.closed {
		return nil
	}
	sectors := (j.opt.SegmentBytes + sectorBytes - 1) / sectorBytes
	f, err := blank(j.opt.FS, filepath.Join(j.dir, spareName), sectors)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close(), j.opt.FS.Remove(filepath.Join(j.dir, spareName)))
	}
	s.file, s.sectors = f, sectors
	return nil
}

// take renames the spare and returns it if there is one of exactly this size, and nil if not.
func (s *spare) take(fs FS, from, to string, sectors int64) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil || s.sectors != sectors {
		return nil, nil
	}
	f := s.file
	s.file = nil
	if err := fs.Rename(from, to); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (s *spare) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}
