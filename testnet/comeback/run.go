package comeback

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/procfs"

	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/report"
)

// Run runs the chosen cases one after the other. The error says why one could not be run at all; what went wrong in it
// is in the document.
func Run(ctx context.Context, o Options, show play.Show) (*Document, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	d := &Document{Format: 1, Keys: o.Keys, ValueBytes: o.ValueBytes, Load: "off", Cores: runtime.GOMAXPROCS(0)}
	if o.Load {
		d.Load = "half"
	}
	for _, t := range o.chosen() {
		c, err := runOne(ctx, &o, t, show)
		if err != nil {
			return nil, fmt.Errorf("case %s: %w", t.name, err)
		}
		d.Cases = append(d.Cases, c)
	}
	d.judge()
	return d, nil
}

func runOne(ctx context.Context, o *Options, t trial, show play.Show) (*Case, error) {
	show.Phase(t.name, t.about)
	began, before := time.Now(), used()
	c := &Case{Name: t.name, About: t.about}
	dir := filepath.Join(o.Dir, t.name)
	s, err := newStage(ctx, o, dir, c, show)
	if err != nil {
		return nil, err
	}
	watching, blind := context.WithCancel(ctx)
	var paused time.Duration
	var eye sync.WaitGroup
	eye.Go(func() { paused = processes.LongestPause(watching) })
	err = s.attempt(func() { t.run(s); s.verify() })
	blind()
	eye.Wait()
	s.close()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted; the replicas are killed: %w", context.Cause(ctx))
	}
	if err != nil {
		c.Failure = err.Error()
	}
	after := used()
	taken := after.takenSince(before)
	c.Seconds, c.PausedMS = report.Round(time.Since(began).Seconds()), report.Round(float64(paused)/float64(time.Millisecond))
	c.LoadAverage, c.Taken = [2]float64{before.load, after.load}, report.Round(taken)
	c.Starved = starved(paused, o.ViewTimeout, taken)
	c.judge()
	kind := play.Note
	if c.Verdict != report.Pass {
		kind = play.Bad
	}
	if o.Keep || c.Verdict == report.Fail {
		c.Files = dir
	} else if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove the cluster's files: %w", err)
	}
	play.Say(show, 0, kind, "%s", c)
	return c, nil
}

// failure is what ends a case.
type failure struct{ error }

// must ends the case if something went wrong. Cases are written like tests: what follows counts on what was before.
func (s *stage) must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// fail ends the case.
func (s *stage) fail(format string, args ...any) { s.must(fmt.Errorf(format, args...)) }

// attempt runs a part of a case and returns why it ended early.
func (s *stage) attempt(part func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.error
		default:
			panic(r)
		}
	}()
	part()
	return nil
}

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
