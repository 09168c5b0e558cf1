// Package runs runs scenarios one after the other, each with as many seeds as asked. It prints the whole report of a single
// run, one line for each of several runs, and for each run that did not pass the command that repeats it.
package runs

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"tagma/internal/terminal"
	"tagma/testnet/play"
	"tagma/testnet/play/screen"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Runner runs scenarios on an engine.
type Runner struct {
	Engine  play.Engine
	Seeds   int  // how many seeds each scenario runs with, counted up from its own; at least 1
	Keep    bool // keep the files of runs that pass
	Quiet   bool // do not print the report of a single scenario
	Trace   play.Trace
	Around  func(play.Show) play.Show // unless nil, returns a play.Show that also shows a single run elsewhere
	Skipped int                       // how many scenarios the engine cannot run, for the summary

	Stdout, Shown io.Writer // for reports, and for progress

	documents []*report.Document
}

// All runs all scenarios, even if some fail, each in a directory of its own below within. It prints each result when the
// run ends, and returns one report for each scenario.
func (r *Runner) All(ctx context.Context, within string, scenarios []*scenario.Scenario) ([]*report.Document, error) {
	for i, s := range scenarios {
		dir := filepath.Join(within, strconv.Itoa(i+1))
		d, err := r.seeded(ctx, s, dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.File, err)
		}
		r.documents = append(r.documents, d)
		if err := r.told(d, len(scenarios)); err != nil {
			return nil, err
		}
		if d.Seeds == nil && d.Verdict != report.Pass {
			_, _ = fmt.Fprintf(r.Shown, "again: %s\n", r.again(s))
		}
	}
	return r.documents, nil
}

// Passed reports whether every scenario passed.
func (r *Runner) Passed() bool { return r.came(report.Pass) == len(r.documents) }

// again is the command that repeats a run.
func (r *Runner) again(s *scenario.Scenario) string {
	return fmt.Sprintf("tagma-testnet run %s --engine %s --seed %d", s.File, r.Engine.Name(), s.Seed)
}

// seeded runs a scenario with r.Seeds seeds. It returns the report of the first run that does not pass or, if all pass, of
// the first run.
func (r *Runner) seeded(ctx context.Context, s *scenario.Scenario, dir string) (*report.Document, error) {
	if r.Seeds <= 1 {
		return r.cleared(ctx, s, dir)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	var told *report.Document
	seeds := &report.Seeds{First: s.Seed, Runs: r.Seeds, Failed: []report.Failed{}}
	for i := range r.Seeds {
		one := *s
		one.Reseed(s.Seed + uint64(i))
		d, err := r.cleared(ctx, &one, filepath.Join(dir, strconv.FormatUint(one.Seed, 10)))
		if err != nil {
			return nil, fmt.Errorf("seed %d: %w", one.Seed, err)
		}
		if told == nil || d.Verdict != report.Pass && len(seeds.Failed) == 0 {
			told = d
		}
		if d.Verdict == report.Pass {
			seeds.Passed++
			continue
		}
		seeds.Failed = append(seeds.Failed, report.Failed{Seed: one.Seed, Verdict: d.Verdict, Again: r.again(&one)})
		_, _ = fmt.Fprintf(r.Shown, "seed %d: %s; again: %s\n", one.Seed, d.Verdict, r.again(&one))
	}
	told.Seeds = seeds
	if seeds.Passed == seeds.Runs && !r.Keep {
		return told, os.RemoveAll(dir)
	}
	return told, nil
}

// cleared runs a scenario in a directory, and removes the directory if the run passes, unless r.Keep is set.
func (r *Runner) cleared(ctx context.Context, s *scenario.Scenario, dir string) (*report.Document, error) {
	d, err := r.one(ctx, s, dir)
	if err == nil && d.Verdict == report.Pass && !r.Keep {
		err = os.RemoveAll(dir)
	}
	return d, err
}

func (r *Runner) one(ctx context.Context, s *scenario.Scenario, dir string) (*report.Document, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if r.Seeds > 1 { // seeded prints a line for each that does not pass
		return play.Run(ctx, r.Engine, s, play.Options{Dir: dir}, play.Silent{})
	}
	title := fmt.Sprintf("%s, engine %s, seed %d", s.Name, r.Engine.Name(), s.Seed)
	if !terminal.StyleOf(r.Shown).Redraws {
		_, _ = fmt.Fprintf(r.Shown, "%s: %s\n", s.File, title)
	}
	show, end := screen.On(r.Shown, title)
	defer end()
	if r.Around != nil {
		show = r.Around(show)
	}
	return play.Run(ctx, r.Engine, s, play.Options{Dir: dir, Trace: r.Trace}, show)
}

// told prints one report: all of it if it is the only one, and otherwise one line.
func (r *Runner) told(d *report.Document, of int) error {
	switch {
	case of > 1 || d.Seeds != nil:
		return d.PrintLine(r.Shown, terminal.StyleOf(r.Shown))
	case r.Quiet:
		return nil
	default:
		return d.Print(r.Stdout, terminal.StyleOf(r.Stdout))
	}
}

// came counts the scenarios that have this verdict.
func (r *Runner) came(verdict string) (n int) {
	for _, d := range r.documents {
		if d.Verdict == verdict {
			n++
		}
	}
	return n
}

// Summary writes how many scenarios and runs passed, unless there was only one.
func (r *Runner) Summary(w io.Writer) error {
	if len(r.documents)+r.Skipped < 2 && r.Seeds <= 1 {
		return nil
	}
	text := fmt.Sprintf("\n%d of %d passed", r.came(report.Pass), len(r.documents))
	if r.Seeds > 1 {
		passed, runs := 0, 0
		for _, d := range r.documents {
			passed, runs = passed+d.Seeds.Passed, runs+d.Seeds.Runs
		}
		text += fmt.Sprintf(" with every seed, %d of %d runs", passed, runs)
	}
	if n := r.came(report.Inconclusive); n > 0 {
		text += fmt.Sprintf(", %d inconclusive", n)
	}
	if r.Skipped > 0 {
		text += fmt.Sprintf(", %d skipped", r.Skipped)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
