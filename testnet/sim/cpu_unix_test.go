//go:build unix

package sim

import (
	"syscall"
	"time"
)

// processorTime is the processor time that this process has used; other programs do not distort it as they distort a clock.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
