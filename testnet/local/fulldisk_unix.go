//go:build unix

package local

import (
	"fmt"
	"os/signal"

	"golang.org/x/sys/unix"
)

// refuseWrites makes every further write of this process to a file fail, as on a disk with no room, until it ends.
func refuseWrites() error {
	signal.Ignore(unix.SIGXFSZ)
	limit := unix.Rlimit{}
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return fmt.Errorf("read the limit on file sizes: %w", err)
	}
	limit.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return fmt.Errorf("set the limit on file sizes: %w", err)
	}
	return nil
}
