package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// runner runs scenarios one after the other.
type runner struct {
	flags         runFlags
	engine        play.Engine
	stdout, shown io.Writer
	skipped       int
	documents     []*report.Document
}

// all runs everything, whatever comes of it, and is command.ErrTold if a verdict is not pass.
func (r *runner) all(ctx context.Context, within string, scenarios []*scenario.Scenario) error {
	for i, s := range scenarios {
		dir := filepath.Join(within, strconv.Itoa(i+1))
		d, err := r.seeded(ctx, s, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
		r.documents = append(r.documents, d)
		if err := r.told(d, len(scenarios)); err != nil {
			return err
		}
		if d.Seeds == nil && d.Verdict != report.Pass {
			_, _ = fmt.Fprintf(r.shown, "again: %s\n", r.again(s))
		}
	}
	var document any = r.documents
	if len(r.documents) == 1 {
		document = r.documents[0]
	}
	return r.flags.tell(r.stdout, document, r.came(report.Pass) == len(r.documents), r.summary)
}

// again is the command that repeats a run.
func (r *runner) again(s *scenario.Scenario) string {
	return fmt.Sprintf("tagma-testnet run %s --engine %s --seed %d", s.File, r.engine.Name(), s.Seed)
}

// seeded runs a scenario with as many seeds as there are to be, and returns the report of the first one that does not
// pass, or else of the first.
func (r *runner) seeded(ctx context.Context, s *scenario.Scenario, dir string) (*report.Document, error) {
	if r.flags.seeds <= 1 {
		return r.cleared(ctx, s, dir)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	var told *report.Document
	seeds := &report.Seeds{First: s.Seed, Runs: r.flags.seeds, Failed: []report.Failed{}}
	for i := range r.flags.seeds {
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
		_, _ = fmt.Fprintf(r.shown, "seed %d: %s; again: %s\n", one.Seed, d.Verdict, r.again(&one))
	}
	told.Seeds = seeds
	if seeds.Passed == seeds.Runs && !r.flags.keep {
		return told, os.RemoveAll(dir)
	}
	return told, nil
}

// cleared runs a scenario in a directory, which is gone if it passes.
func (r *runner) cleared(ctx context.Context, s *scenario.Scenario, dir string) (*report.Document, error) {
	d, err := r.one(ctx, s, dir)
	if err == nil && d.Verdict == report.Pass && !r.flags.keep {
		err = os.RemoveAll(dir)
	}
	return d, err
}

func (r *runner) one(ctx context.Context, s *scenario.Scenario, dir string) (*report.Document, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if r.flags.seeds > 1 { // so many are told in a line each, and those that pass in none
		return play.Run(ctx, r.engine, s, play.Options{Dir: dir}, play.Silent{})
	}
	title := fmt.Sprintf("%s, engine %s, seed %d", s.Name, r.engine.Name(), s.Seed)
	if !styleFor(r.shown).Terminal {
		_, _ = fmt.Fprintf(r.shown, "%s: %s\n", s.File, title)
	}
	show, end := showOn(r.shown, title)
	defer end()
	return play.Run(ctx, r.engine, s, play.Options{Dir: dir, Trace: r.flags.trace}, show)
}

// told tells of one report: all of it if it is the only one, else a line.
func (r *runner) told(d *report.Document, of int) error {
	switch {
	case of > 1 || d.Seeds != nil:
		return d.PrintLine(r.shown, styleFor(r.shown))
	case r.flags.json:
		return nil
	default:
		return d.Print(r.stdout, styleFor(r.stdout))
	}
}

// came is how many runs came to a verdict.
func (r *runner) came(verdict string) (n int) {
	for _, d := range r.documents {
		if d.Verdict == verdict {
			n++
		}
	}
	return n
}

// summary ends the output in words.
func (r *runner) summary() error {
	if len(r.documents)+r.skipped < 2 && r.flags.seeds <= 1 {
		return nil
	}
	text := fmt.Sprintf("\n%d of %d passed", r.came(report.Pass), len(r.documents))
	if r.flags.seeds > 1 {
		passed, runs := 0, 0
		for _, d := range r.documents {
			passed, runs = passed+d.Seeds.Passed, runs+d.Seeds.Runs
		}
		text += fmt.Sprintf(" with every seed, %d of %d runs", passed, runs)
	}
	if n := r.came(report.Inconclusive); n > 0 {
		text += fmt.Sprintf(", %d inconclusive", n)
	}
	if r.skipped > 0 {
		text += fmt.Sprintf(", %d skipped", r.skipped)
	}
	_, err := fmt.Fprintln(r.stdout, text)
	return err
}
