package journal

import (
	"errors"
	"path/filepath"
)

// mend opens the current segment and makes sure that what was read is on the disk, before the journal is continued.
//
// What was read may be only in the operating system's memory: the process may have died before the sync, or the sync
// may have failed and the system may have forgotten that the pages are unwritten. Only the last turn, the last seal
// and the last file name can be in that state, so these are written again.
func (j *Journal) mend(c chain) error {
	if err := j.opt.FS.SyncDir(j.dir); err != nil {
		return err
	}
	last := c[len(c)-1]
	if !last.begun() && len(c) > 1 {
		if err := j.reseal(c[len(c)-2], last.info.FirstTurn); err != nil {
			return err
		}
	}
	f, err := j.opt.FS.Open(last.path, true)
	if err != nil {
		return err
	}
	if err := j.settle(f, last); err != nil {
		return errors.Join(err, f.Close())
	}
	j.file = f
	return nil
}

// settle zeroes a torn turn, since the next turn takes its number and place. Without a torn turn it writes the last
// turn again.
func (j *Journal) settle(f File, s *scan) error {
	if s.torn != 0 {
		j.opt.Logger.Info("dropped a torn turn at the end of the journal: it was not durable, so nothing of it was sent",
			"segment", s.info.Name, "turn", s.info.LastTurn+1, "sector", s.next, "sectors", s.torn)
		return writeSync(f, make([]byte, s.torn*sectorBytes), s.next)
	}
	if !s.begun() {
		return nil // its anchor was synced before the file got its name
	}
	b := make([]byte, (s.next-s.last)*sectorBytes)
	if _, err := f.ReadAt(b, s.last*sectorBytes); err != nil {
		return err
	}
	return writeSync(f, b, s.last)
}

// reseal writes the seal of the segment before the current one; a crash in Rotate may have prevented that.
func (j *Journal) reseal(s *scan, turn uint64) error {
	f, err := j.opt.FS.Open(filepath.Join(j.dir, s.info.Name), true)
	if err != nil {
		return err
	}
	return errors.Join(writeSeal(f, s.epoch, s.header.sectors, turn), f.Close())
}
