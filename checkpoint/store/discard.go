package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Discard raises the floor to below. From now on views under the floor are refused, and compaction may forget the
// versions that no view at or above it sees (K4). The floor never falls, and never rises above the last sequence
// number written. So versions that a crashed run left above that number are never below the floor. Before Load,
// Discard does nothing. A floor that Load or Adopt set discards nothing until Discard is called for at least that
// floor.
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

// Floor returns the oldest sequence number whose state can be viewed.
func (s *Store) Floor() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.floor
}

// discardUnseen tells the engine the oldest version that can still be read: that of the floor or of an open view. The
// caller must hold s.mu.
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
	// The closed view may have been the only thing that held back discarding below the floor. If only Load or Adopt set
	// the floor, nothing is to be discarded.
	if s.discarding && from == s.generation {
		s.discardUnseen()
	}
}

// Size returns how many bytes the tables with their write-ahead files, and the value log, take on the disk.
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
			continue // compacted away since the directory was read
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
