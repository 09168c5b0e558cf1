package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A store on a real disk has up to two generations, in dir and in dir.next. One holds the present state; the other is
// filled while a state is rebuilt (K2). Usually only dir exists at a start; both exist after a crash during a
// rebuild. The caller knows the digests in the journal and so decides which generation holds the state. Settle then
// makes that the one in dir.

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

// Settle leaves only one generation, in dir. It is the one from dir.next if next is set, and otherwise the one that
// is in dir already. Both must be closed. After a crash in Settle the chosen generation still exists, and Settle can
// be called again.
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
