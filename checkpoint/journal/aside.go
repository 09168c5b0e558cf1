package journal

import (
	"errors"
	"fmt"
	"path/filepath"
)

const asideSuffix = ".aside"

// SetAside renames the journal's directory, so that a new journal can be made in its place while people examine the old
// one. It returns the new name once the renaming is durable. A directory that was set aside earlier is removed first.
// If there is no directory, or only unfinished files in it, SetAside does nothing and returns "": files that an
// interrupted Create left must not displace votes that were set aside. A nil disk stands for the operating system.
//
// After a crash or an error the journal is complete under one of the two names. Calling SetAside again, and then
// Create, completes the work. The error is ErrInUse if the journal is open.
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
	// Sync before the rename, so that no crash mixes the files of two journals.
	if err := disk.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := disk.Rename(dir, to); err != nil {
		return err
	}
	return disk.SyncDir(filepath.Dir(dir))
}
