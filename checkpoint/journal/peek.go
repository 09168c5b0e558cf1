package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Peek returns what Open would return, with the same errors, and writes nothing, so that a disk can be examined before
// anything may be written to it (D8.3). It leaves out a torn tail, which stays on the disk, like unfinished files. Peek
// holds the lock while it reads. What it returns may be only in the system's memory; Open makes it durable.
func Peek(dir string, opt Options) (found []Entry, err error) {
	found, err = peek(opt.withDefaults().FS, dir)
	if err != nil {
		return nil, fmt.Errorf("look at journal %s: %w", dir, err)
	}
	return found, nil
}

func peek(disk FS, dir string) (found []Entry, err error) {
	lock, err := lockExisting(disk, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	c, err := readAll(disk, dir)
	if err != nil {
		return nil, err
	}
	return c.entries(), nil
}

// lockExisting locks a directory. If the directory does not exist, there is no journal.
func lockExisting(disk FS, dir string) (io.Closer, error) {
	lock, err := disk.Lock(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrEmpty, err)
	}
	return lock, err
}
