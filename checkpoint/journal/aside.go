package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

const asideSuffix = ".aside"

// SetAside renames the journal's directory, so that a new journal can be made in its place while people look at the old
// one, and returns the new name when it is durable. A directory that was set aside earlier is removed first. If there is
// no directory, or nothing in it but unfinished files, it does nothing and returns "": what an interrupted Create left
// behind must not replace votes. A nil disk is the operating system.
//
// After a crash or a failure in it the journal is whole under one of the two names. Calling it again, and then Create,
// completes it. ErrInUse: the journal is open.
func SetAside(disk FS, dir string) (to string, err error) {
	if disk == nil {
		disk = osFS{}
	}
	dir = filepath.Clean(dir)
	to = dir + asideSuffix
	lock, err := lockExisting(disk, dir)
	if err == nil {
		err = errors.Join(setAside(disk, dir, to), lock.Close())
	}
	switch {
	case errors.Is(err, ErrEmpty):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("set journal %s aside: %w", dir, err)
	}
	return to, nil
}

func setAside(disk FS, dir, to string) error {
	_, err := list(disk, dir)
	if errors.Is(err, ErrEmpty) || err != nil && !errors.Is(err, ErrMissing) && !errors.Is(err, ErrForeign) {
		return err
	}
	if err := disk.RemoveAll(to); err != nil {
		return err
	}
	// Before the rename: no crash may mix the files of two journals.
	if err := disk.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := disk.Rename(dir, to); err != nil {
		return err
	}
	return disk.SyncDir(filepath.Dir(dir))
}
