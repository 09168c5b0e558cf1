package journal

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData flushes the file's bytes and its length, but not its times; this makes a sync into a preallocated segment cheap.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
	}
}
