package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

// Create makes a journal in dir, whose first segment begins with anchor, and opens it. It makes dir if need be. If
// there is a journal already the error is ErrExists.
func Create(dir string, anchor []Entry, opt Options) (*Journal, error) {
	opt = opt.withDefaults()
	j, err := create(dir, anchor, opt)
	if err != nil {
		return nil, fmt.Errorf("create journal %s: %w", dir, err)
	}
	return j, nil
}

func create(dir string, anchor []Entry, opt Options) (*Journal, error) {
	if err := opt.FS.MkdirAll(dir); err != nil {
		return nil, err
	}
	j := &Journal{dir: dir, opt: opt, turn: 1, start: uint16(opt.epoch()), index: index{want: opt.Index}}
	var err error
	if j.lock, err = opt.FS.Lock(dir); err != nil {
		return nil, err
	}
	l, err := list(opt.FS, dir)
	switch {
	case err == nil || errors.Is(err, ErrMissing) && !errors.Is(err, ErrEmpty):
		err = ErrExists
	case errors.Is(err, ErrEmpty):
		err = removeTemps(opt.FS, dir, l.temps)
	}
	if err == nil {
		err = j.begin(1, 0, anchor)
	}
	if err != nil {
		return nil, errors.Join(err, j.lock.Close())
	}
	return j, nil
}

func removeTemps(disk FS, dir string, temps []string) error {
	for _, name := range temps {
		if err := disk.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// Open opens the journal in dir and returns the entries of all retained segments in the order in which they were
// written, including those of anchors. It checks every sector, drops a torn tail, and returns once everything that it
// returns is durable.
//
// The errors on which a caller may decide are ErrRot, ErrMissing, ErrEmpty, ErrForeign and ErrInUse.
func Open(dir string, opt Options) (*Journal, []Entry, error) {
	opt = opt.withDefaults()
	j := &Journal{dir: dir, opt: opt, start: uint16(opt.epoch()), index: index{want: opt.Index}}
	entries, err := j.open()
	if err != nil {
		return nil, nil, fmt.Errorf("open journal %s: %w", dir, err)
	}
	return j, entries, nil
}

func (j *Journal) open() (entries []Entry, err error) {
	if j.lock, err = lockExisting(j.opt.FS, j.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.lock.Close())
		}
	}()
	l, err := list(j.opt.FS, j.dir)
	if err != nil {
		return nil, err
	}
	c, err := readChain(j.opt.FS, j.dir, l.numbers)
	if err != nil {
		return nil, err
	}
	if err := removeTemps(j.opt.FS, j.dir, l.temps); err != nil {
		return nil, err
	}
	if err := j.mend(c); err != nil {
		return nil, err
	}
	j.adopt(c)
	return c.entries(), nil
}

// adopt makes the journal continue after the last whole turn.
func (j *Journal) adopt(c chain) {
	for _, s := range c {
		j.segments = append(j.segments, s.info)
		j.index.extend(s.info, s.epoch)
		rest := s.entries
		for i, t := range s.turns {
			j.index.add(&s.info, s.info.FirstTurn+uint64(i), t.at, rest[:t.entries])
			rest = rest[t.entries:]
		}
	}
	last := c[len(c)-1]
	j.epoch, j.sectors, j.next, j.turn = last.epoch, last.header.sectors, last.next, last.info.LastTurn+1
}
