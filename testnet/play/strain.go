package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// Strain is what the machine kept from the processes of a run. Zero: nothing, or the system does not tell.
type Strain struct {
	Waited time.Duration // the longest time for which the system let a process wait
	Taken  float64       // the share of all processor time that other programs used, 0 to 1
	Lacked float64       // the share of the time in which this program wanted a processor and had none, 0 to 1
	Load   [2]float64    // the load average over a minute, at the beginning and at the end
}

const (
	mostTaken  = 0.2
	mostLacked = 0.75
)

// Starved says in what way the machine starved the processes of a run, "" if it did not. An order takes several steps on
// several replicas, so a quarter of the view timeout for one step of one process is enough to miss it: what did not happen,
// or not in time, then says something about the machine, and nothing about the protocol.
func (s Strain) Starved(viewTimeout time.Duration) string {
	switch {
	case s.Taken > mostTaken:
		return fmt.Sprintf("other programs took %.0f %% of the machine's processor time", 100*s.Taken)
	case s.Waited > viewTimeout/4:
		return fmt.Sprintf("the machine let a process wait for %v, and the view timeout is %v", s.Waited.Round(time.Millisecond), viewTimeout)
	case s.Lacked > mostLacked:
		return fmt.Sprintf("this program had no processor in %.0f %% of the time in which it wanted one", 100*s.Lacked)
	}
	return ""
}

// LateError says that something did not happen in the time for it, which a machine that starves processes explains.
type LateError struct{ What string }

// Error implements error.
func (e *LateError) Error() string { return e.What }

// Late is fmt.Errorf for a LateError.
func Late(format string, args ...any) error { return &LateError{What: fmt.Sprintf(format, args...)} }

// IsLate reports whether an error is that time ran out. Of several joined ones each must be.
func IsLate(err error) bool {
	switch err := err.(type) { //nolint:errorlint // it walks through what is wrapped
	case *LateError:
		return true
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(err.Unwrap(), func(err error) bool { return !IsLate(err) })
	case interface{ Unwrap() error }:
		return IsLate(err.Unwrap())
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// StarvedError is why something could not be done on a machine that starved the processes.
type StarvedError struct {
	Why string // as Strain.Starved says it
	Err error
}

// Error implements error.
func (e *StarvedError) Error() string { return e.Err.Error() + "; " + e.Why }

// Unwrap gives what could not be done.
func (e *StarvedError) Unwrap() error { return e.Err }

// Gauge measures the strain on a machine from when it was made.
type Gauge struct {
	// Read ends the measurement, and tells its result as often as it is called. Processor time of children counts once they
	// have ended.
	Read func() Strain
}

// NewGauge begins to measure. Read must follow.
func NewGauge() *Gauge {
	before, stop, paused := used(), make(chan struct{}), make(chan time.Duration, 1)
	go func() { paused <- longestPause(stop) }()
	return &Gauge{Read: sync.OnceValue(func() Strain {
		close(stop)
		after := used()
		return Strain{
			Waited: <-paused, Taken: after.takenSince(before), Lacked: after.lackedSince(before),
			Load: [2]float64{before.load, after.load},
		}
	})}
}

// longestPause is how late, at the worst, the system let a goroutine run that wants to every 20 ms, until it is stopped.
// When that comes near the view timeout, replicas cannot tell a primary that is starved from one that is silent.
func longestPause(stop <-chan struct{}) (longest time.Duration) {
	const every = 20 * time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-stop:
			return longest
		case now := <-ticker.C:
			longest = max(longest, time.Since(last)-every)
			last = now
		}
	}
}

// usage is how much processor time was used up to a moment, in seconds, and how loaded the machine is. What the system does
// not tell is 0.
type usage struct {
	all     float64 // there was, used or not, on all processors
	busy    float64 // of that, used by any program
	own     float64 // of that, by this process and by those of its children that have ended
	ran     float64 // by the threads that this process has now
	delayed float64 // in which those threads wanted a processor and had none
	load    float64 // the load average over the last minute
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
	threads, _ := fs.AllThreads(syscall.Getpid())
	for _, t := range threads {
		if s, err := t.Schedstat(); err == nil {
			u.ran += time.Duration(s.RunningNanoseconds).Seconds()
			u.delayed += time.Duration(s.WaitingNanoseconds).Seconds()
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

// lackedSince is the share of the time since then in which this process wanted a processor and had none, 0 to 1. Threads
// that ended meanwhile take what they had with them.
func (u usage) lackedSince(then usage) float64 {
	ran, delayed := max(0, u.ran-then.ran), max(0, u.delayed-then.delayed)
	if ran+delayed < 0.1 { // too little to tell
		return 0
	}
	return delayed / (ran + delayed)
}
