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

// Strain says how much processor time the machine kept from the processes of a run. Zero: none, or the system does not
// say.
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

// Starved says in what way the machine gave the processes of a run too little time; "" if it did not. Ordering a batch
// takes several steps on several replicas. So a pause of a quarter of the view timeout in one process is enough to miss
// that timeout. In that case, what did not happen in time shows nothing about the protocol.
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

// LateError says that something did not happen in time. A busy machine can be the reason.
type LateError struct{ What string }

// Error implements error.
func (e *LateError) Error() string { return e.What }

// Late is fmt.Errorf for a LateError.
func Late(format string, args ...any) error { return &LateError{What: fmt.Sprintf(format, args...)} }

// IsLate reports whether an error says only that time ran out. If errors are joined, each of them must.
func IsLate(err error) bool {
	switch err := err.(type) { //nolint:errorlint // it walks through the wrapped errors
	case *LateError:
		return true
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(err.Unwrap(), func(err error) bool { return !IsLate(err) })
	case interface{ Unwrap() error }:
		return IsLate(err.Unwrap())
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// StarvedError is the error of something that failed while the machine gave the processes too little time.
type StarvedError struct {
	Why string // as Strain.Starved says it
	Err error
}

// Error implements error.
func (e *StarvedError) Error() string { return e.Err.Error() + "; " + e.Why }

// Unwrap returns the error itself.
func (e *StarvedError) Unwrap() error { return e.Err }

// Gauge measures the strain on the machine, from NewGauge until Read.
type Gauge struct {
	// Read ends the measurement and returns its result, the same at every call. Processor time of child processes counts
	// once they have ended.
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

// longestPause measures how late the system wakes a goroutine that is due every 20 ms, and returns the longest delay
// when stop is closed. If it is near the view timeout, replicas cannot distinguish a primary that lacks processor time
// from one that is silent.
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
	all     float64 // on all processors, idle time included
	busy    float64 // of all, what programs used
	own     float64 // of busy, what this process and its ended children used
	ran     float64 // what the present threads of this process used
	delayed float64 // how long those threads wanted a processor and had none
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

// takenSince returns the share of all processor time since then that other programs used, 0 to 1.
func (u usage) takenSince(then usage) float64 {
	all := u.all - then.all
	if all <= 0 || then.all == 0 {
		return 0
	}
	return min(1, max(0, (u.busy-then.busy)-(u.own-then.own))/all)
}

// lackedSince returns the share of the time since then in which this process wanted a processor and had none, 0 to 1.
// Times of threads that ended meanwhile are not included.
func (u usage) lackedSince(then usage) float64 {
	ran, delayed := max(0, u.ran-then.ran), max(0, u.delayed-then.delayed)
	if ran+delayed < 0.1 { // too little to tell
		return 0
	}
	return delayed / (ran + delayed)
}
