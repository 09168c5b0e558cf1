package comeback

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"tagma/testnet/play"
	"tagma/testnet/report"
)

// Run runs the chosen cases one after the other. The error says why one could not be run at all; what went wrong in a
// case is in the document.
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
	began := time.Now()
	c := &Case{Name: t.name, About: t.about}
	dir := filepath.Join(o.Dir, t.name)
	s := &stage{ctx: ctx, o: o, show: show, result: c, marks: marks{}}
	strain, err := s.through(t, dir)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted; the replicas are killed: %w", context.Cause(ctx))
	}
	if err != nil {
		c.Failure, c.late = err.Error(), play.IsLate(err)
	}
	c.Seconds, c.PausedMS = report.Round(time.Since(began).Seconds()), report.Round(float64(strain.Waited)/float64(time.Millisecond))
	c.LoadAverage, c.Taken = strain.Load, report.Round(strain.Taken)
	c.Starved = strain.Starved(o.ViewTimeout)
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

// through runs a case from its beginning to its end. It returns why the case failed, and how busy the machine was.
func (s *stage) through(t trial, dir string) (strain play.Strain, failed error) {
	failed = s.attempt(func() {
		s.begin(t, dir)
		t.run(s)
		s.settle()
	})
	if s.Cluster == nil {
		return strain, failed
	}
	defer s.Close()
	if s.ctx.Err() != nil {
		return strain, failed
	}
	s.EndWork(time.Second) // operations are under way now only if the case has failed
	s.Stop()
	left, err := s.Remains()
	if err != nil {
		return strain, errors.Join(failed, err)
	}
	if failed == nil {
		failed = s.attempt(func() { s.verify(left) })
	}
	return left.Strain, failed
}

// failure is what ends a case.
type failure struct{ error }

// must ends the case if something went wrong. Cases are written like tests: each step relies on those before it.
func (s *stage) must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// fail ends the case.
func (s *stage) fail(format string, args ...any) { s.must(fmt.Errorf(format, args...)) }

// late ends the case because something did not happen in its time.
func (s *stage) late(format string, args ...any) { s.must(play.Late(format, args...)) }

// attempt runs a part of a case and returns why the part ended early.
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
