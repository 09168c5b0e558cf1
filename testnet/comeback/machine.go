package comeback

import (
	"fmt"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"tagma/testnet/play"
)

// usage is how much processor time was used up to a moment, in seconds, and how loaded the machine is.
type usage struct {
	all  float64 // there was, used or not, on all processors; 0 where the system does not tell
	busy float64 // of that, used by any program
	own  float64 // of that, by this process and by those of its children that have ended
	load float64 // the load average over the last minute, 0 where the system does not tell
}

// used reads the present usage.
func used() (u usage) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return u
	}
	if average, err := fs.LoadAvg(); err == nil {
		u.load = average.Load1
	}
	if stat, err := fs.Stat(); err == nil {
		c := stat.CPUTotal
		u.busy = c.User + c.Nice + c.System + c.IRQ + c.SoftIRQ + c.Steal
		u.all = u.busy + c.Idle + c.Iowait
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if syscall.Getrusage(who, &r) == nil {
			u.own += time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
		}
	}
	return u
}

// takenSince is the share of all processor time since then that other programs used, 0 to 1.
func (u usage) takenSince(then usage) float64 {
	all := u.all - then.all
	if all <= 0 || then.all == 0 {
		return 0
	}
	return min(1, max(0, (u.busy-then.busy)-(u.own-then.own))/all)
}

// mostTaken is the share of the processor time from which on other programs are a reason for missed times.
const mostTaken = 0.2

// starved says why times and throughput show nothing but the machine, "" if they do.
func starved(paused, viewTimeout time.Duration, taken float64) string {
	if taken > mostTaken {
		return fmt.Sprintf("other programs took %.0f %% of the machine's processor time", 100*taken)
	}
	return play.Starved(paused, viewTimeout)
}
