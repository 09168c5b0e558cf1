package comeback

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tagma/checkpoint/store"
	"tagma/internal/node"
)

// awaySuffix names where the data of a replica lie while they are taken from it.
const awaySuffix = ".away"

// takeAway moves the data of a stopped replica aside and leaves an empty directory: a disk that is not mounted.
func (s *stage) takeAway(id int) error {
	if err := errors.Join(os.Rename(s.data(id), s.data(id)+awaySuffix), os.Mkdir(s.data(id), 0o700)); err != nil {
		return fmt.Errorf("take the data of replica %d away: %w", id, err)
	}
	return nil
}

// bringBack undoes takeAway. The directory must still be empty.
func (s *stage) bringBack(id int) error {
	if err := errors.Join(os.Remove(s.data(id)), os.Rename(s.data(id)+awaySuffix, s.data(id))); err != nil {
		return fmt.Errorf("bring the data of replica %d back: %w", id, err)
	}
	return nil
}

// listing names everything below a directory, with sizes.
func listing(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, fmt.Sprintf("%s (%d bytes)", name, info.Size()))
		return err
	})
	slices.Sort(names)
	return names, err
}

// copyTree copies a directory to one that is not there yet, modes included: a key is refused when others may read it.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return os.Mkdir(filepath.Join(to, name), info.Mode().Perm())
		default:
			return copyFile(path, filepath.Join(to, name), info.Mode().Perm())
		}
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// root computes the root of a stopped replica's state at a sequence number from what lies on its disk.
func (s *stage) root(id int, seq uint64) (root [32]byte, err error) {
	opened, err := store.Open(filepath.Join(s.data(id), node.StateDir), store.Options{})
	if err != nil {
		return root, err
	}
	root, err = opened.Load(seq)
	return root, errors.Join(err, opened.Close())
}
