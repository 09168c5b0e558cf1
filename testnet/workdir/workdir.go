// Package workdir runs work in a directory of its own and removes the directory afterwards, unless the files are wanted. It
// removes nothing that was there before.
package workdir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"tagma/internal/command"
)

// Do makes a directory, calls do with it, and removes it. If keep is set or do returns [command.ErrTold], which means that
// the work failed, the files stay and Do writes to shown where they are; after any other error they are removed. An empty
// dir stands for a temporary directory; any other one must be empty or not exist. Verb names the work in errors.
func Do(verb, dir string, keep bool, shown io.Writer, do func(dir string) error) error {
	dir, remove, err := prepare(verb, dir)
	if err != nil {
		return err
	}
	if err = os.MkdirAll(dir, 0o755); err == nil {
		err = do(dir)
	}
	failed := errors.Is(err, command.ErrTold)
	if (keep || failed) && holdsFiles(dir) {
		_, _ = fmt.Fprintf(shown, "\njournals, stores, logs and evidence are in %s\n", dir)
	} else if gone := remove(); gone != nil {
		err = errors.Join(err, gone)
	}
	if err != nil && !failed {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return err
}

// prepare returns the directory to work in, and the function that removes it.
func prepare(verb, dir string) (path string, remove func() error, err error) {
	if dir == "" {
		dir, err = os.MkdirTemp("", "tagma-"+verb+"-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(dir)
	switch {
	case os.IsNotExist(err):
		return dir, func() error { return os.RemoveAll(dir) }, nil
	case err != nil:
		return "", nil, command.Unusablef("%s: %w", verb, err)
	case len(entries) > 0:
		return "", nil, command.Unusablef("%s: %s is not empty; name another directory or empty it", verb, dir)
	}
	return dir, func() error { return empty(dir) }, nil
}

func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// holdsFiles reports whether there is any file below a directory: simulated runs leave none.
func holdsFiles(dir string) bool {
	found := false
	// A directory that cannot be read counts as empty.
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}
