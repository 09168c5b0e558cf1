package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The two generations of a store on a real disk are in dir and in dir.next. One is the present one; while a state is
// rebuilt, the other is filled (K2). A start finds both only after a crash during a rebuild. The caller, who knows the
// digests of the journal, then decides which generation is the state, and Settle makes that the one in dir.

const nextSuffix = ".next"

// other is the directory of the generation beside the one in dir.
func other(dir string) string {
	if before, is := strings.CutSuffix(dir, nextSuffix); is {
		return before
	}
	return dir + nextSuffix
}

// Next is the directory of the generation beside the store at dir.
func Next(dir string) string { return other(filepath.Clean(dir)) }

// Generations reports whether there is a generation in dir, and whether there is one beside it.
func Generations(dir string) (here, next bool, err error) {
	if here, err = holdsFiles(dir); err != nil {
		return false, false, err
	}
	next, err = holdsFiles(Next(dir))
	return here, next, err
}

func holdsFiles(dir string) (bool, error) {
	held, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(held) > 0, err
}

// Settle leaves only one generation, in dir: the one beside it if next is set, else the one that is there. Both must be
// closed. After a crash in Settle both are still there, or one and a part of the other, and Settle can be called again.
func Settle(dir string, next bool) error {
	dir = filepath.Clean(dir)
	remove := Next(dir)
	if next {
		remove = dir
	}
	err := os.RemoveAll(remove)
	if err == nil && next {
		err = os.Rename(Next(dir), dir)
	}
	if err == nil {
		err = syncFile(filepath.Dir(dir))
	}
	if err != nil {
		return fmt.Errorf("leave one generation of the store at %s: %w", dir, err)
	}
	return nil
}

// Next implements Engine.
func (s *badgerEngine) Next() (Engine, error) {
	next := &badgerEngine{dir: other(s.dir), opt: s.opt, log: &badgerLog{to: s.opt.Log}}
	err := os.RemoveAll(next.dir)
	if err == nil {
		err = next.open()
	}
	if err == nil {
		err = syncFile(filepath.Dir(next.dir))
	}
	if err != nil {
		return nil, fmt.Errorf("open the next generation of the store at %s: %w", next.dir, err)
	}
	return next, nil
}

// Drop implements Engine.
func (s *badgerEngine) Drop() error {
	if err := s.db.Close(); err != nil {
		return err
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	return syncFile(filepath.Dir(s.dir))
}
