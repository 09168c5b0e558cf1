package comeback

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tagma/testnet/play"
	"tagma/testnet/play/processes"
	"tagma/testnet/report"
)

// trial is one case.
type trial struct {
	name, about string
	run         func(*stage) error
}

// trials are all cases, in the order in which they run.
func trials() []*trial {
	return []*trial{
		{"wiped", "a disk is emptied under load: the state comes from the others while they serve", wiped},
		{"differing", "a replica misses 1 % of the state: little more than that is fetched", differing},
		{"killed", "the receiver is killed at 10, 50 and 90 %: nothing is fetched twice", killed},
		{"donors", "a donor is killed in the middle: the transfer ends, and service goes on", donors},
		{"change", "the primary is killed in the middle, and three more checkpoints become stable", change},
		{"far", "a replica is many windows behind, and nobody sends anything any more", far},
		{"twice", "the same disk is emptied twice within a minute", twice},
		{"first", "three of four serve, one of them dies, the fourth starts for the first time", first},
		{"emptied", "disks vanish at one, two, three and four replicas, and are mounted again", emptied},
		{"old", "an old copy of a whole home is put back: it is noticed", old},
	}
}

// Names lists the cases in their order.
func Names() (names []string) {
	for _, t := range trials() {
		names = append(names, t.name)
	}
	return names
}

// About says in a line what a case shows; "" for one that there is not.
func About(name string) string {
	if t := caseOf(name); t != nil {
		return t.about
	}
	return ""
}

func caseOf(name string) *trial {
	for _, t := range trials() {
		if t.name == name {
			return t
		}
	}
	return nil
}

// Run runs the chosen cases one after the other. The error says why one could not be run at all; what went wrong in it
// is in the document.
func Run(ctx context.Context, o Options, show play.Show) (*Document, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	d := &Document{Format: 1, Keys: o.Keys, ValueBytes: o.ValueBytes, Load: "off", Cores: cores()}
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

func runOne(ctx context.Context, o *Options, t *trial, show play.Show) (*Case, error) {
	c := &Case{Name: t.name, About: t.about, LoadAverage: [2]float64{loadAverage(), 0}}
	show.Phase(t.name, t.about)
	began, before := time.Now(), used()
	dir := filepath.Join(o.Dir, t.name)
	s, err := newStage(ctx, o, dir, c, show)
	if err != nil {
		return nil, err
	}
	watching, blind := context.WithCancel(ctx)
	var paused time.Duration
	var eye sync.WaitGroup
	eye.Go(func() { paused = processes.LongestPause(watching) })
	err = t.run(s)
	if err == nil {
		err = s.verify()
	}
	blind()
	eye.Wait()
	s.close()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted; the replicas are killed: %w", context.Cause(ctx))
	}
	c.Seconds = report.Round(time.Since(began).Seconds())
	c.LoadAverage[1] = loadAverage()
	c.PausedMS = report.Round(float64(paused) / float64(time.Millisecond))
	c.Taken = report.Round(used().takenSince(before))
	c.Starved = starved(paused, o.ViewTimeout, c.Taken)
	if err != nil {
		c.Failure = err.Error()
	}
	c.judge()
	if o.Keep || c.Verdict == report.Fail {
		c.Files = dir
	} else if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove the cluster's files: %w", err)
	}
	if c.Verdict == report.Pass {
		play.Say(show, 0, play.Note, "%s", c)
	} else {
		play.Say(show, 0, play.Bad, "%s", c)
	}
	return c, nil
}
