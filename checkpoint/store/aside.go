package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SetAside renames the directory of a closed store to dir.aside and returns the new name, so that an empty store can be
// filled in its place (X5). A directory that was set aside earlier is removed first. It returns "" if there is no dir,
// and ErrLocked if the store is open. The change is durable when it returns.
func SetAside(dir string) (to string, err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	to = dir + ".aside"
	if err := setAside(dir, to); err != nil {
		return "", fmt.Errorf("set the store at %s aside as %s: %w", dir, to, err)
	}
	return to, nil
}

func setAside(dir, to string) (err error) {
	release, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.Rename(dir, to); err != nil {
		return err
	}
	return syncFile(filepath.Dir(dir))
}

// Copy copies the files of a closed store to a new directory and writes nothing to dir, so that the copy can be
// opened instead of the original. Who may read the copy depends on the permissions of the directory in which the
// caller has it made. It returns ErrLocked if the store is open.
func Copy(dir, to string) (err error) {
	release, err := lockDir(dir)
	if err != nil {
		return fmt.Errorf("copy the store at %s: %w", dir, err)
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		return fmt.Errorf("copy the store at %s: %w", dir, err)
	}
	return nil
}
