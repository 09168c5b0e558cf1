//go:build unix

package sim

import (
	"syscall"
	"time"
)

// processorTime is what this process has used: a machine that others use too says nothing by its clock.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
