package comeback

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tagma/testnet/play"
)

// loadAverage is that of the machine over the last minute, 0 where the system does not tell.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	average, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return average
}

// usage is how much processor time was used up to a moment, in seconds.
type usage struct {
	all  float64 // there was, used or not, on all processors
	busy float64 // of that, used by any program
	own  float64 // of that, by this process and by those of its children that have ended
}

// tick is the unit of /proc/stat, in seconds: Linux has told it in hundredths on every platform since 2.6.
const tick = 0.01

// used reads the present usage; its all is 0 where the system does not tell.
func used() usage {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return usage{}
	}
	u := parseStat(string(text))
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if syscall.Getrusage(who, &r) == nil {
			u.own += time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
		}
	}
	return u
}

// parseStat reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
func parseStat(text string) (u usage) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return usage{}
	}
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return usage{}
		}
		u.all += float64(ticks) * tick
		if i != 3 && i != 4 {
			u.busy += float64(ticks) * tick
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
