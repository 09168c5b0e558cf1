package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Discard raises the floor to below: views under it are refused from now on, and compaction forgets, in its own time,
// the versions that no view at or above it sees (K4). The floor never sinks and never passes the last sequence number
// written, so what a crashed run left above that is not judged by it. Before Load it does nothing. A floor that Load or
// Adopt set discards nothing until Discard is called for at least that much.
func (s *Store) Discard(below uint64) {
	s.mu.Lock()
	if !s.loaded || s.closed || below < s.floor {
		s.mu.Unlock()
		return
	}
	s.floor = min(below, s.written)
	floor := s.floor
	s.discarding = true
	s.discardUnseen()
	s.mu.Unlock()
	s.keepFrom(floor)
}

// Floor returns the oldest sequence number that can be viewed.
func (s *Store) Floor() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.floor
}

// discardUnseen tells the engine the oldest version that can still be read: the floor, or an open view's; s.mu is held.
func (s *Store) discardUnseen() {
	oldest := s.floor
	for at := range s.views {
		oldest = min(oldest, at)
	}
	s.engine.Discard(oldest)
}

func (s *Store) unpin(from *generation, at uint64) {
	s.mu.Lock()
	if from.views[at]--; from.views[at] == 0 {
		delete(from.views, at)
	}
	unused := s.unused(from)
	defer s.drop(unused)
	defer s.mu.Unlock()
	// A view may have been all that held the floor's discard back. At a floor that Load or Adopt set, nothing was given up.
	if s.discarding && from == s.generation {
		s.discardUnseen()
	}
}

// Size returns the bytes that the tables with their write-ahead files, and the value log, occupy on disk.
func (s *Store) Size() (lsm, vlog int64, err error) {
	dir := s.dir
	s.mu.Lock()
	if disk, is := s.engine.(*badgerEngine); is {
		dir = disk.dir
	}
	s.mu.Unlock()
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // Compacted away meanwhile.
		}
		if err != nil {
			return 0, 0, err
		}
		switch filepath.Ext(e.Name()) {
		case ".sst", ".mem":
			lsm += allocatedBytes(info)
		case ".vlog":
			vlog += allocatedBytes(info)
		}
	}
	return lsm, vlog, nil
}
