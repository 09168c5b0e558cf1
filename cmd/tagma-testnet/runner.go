package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"tagma/internal/command"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// runner runs scenarios one after the other.
type runner struct {
	flags         runFlags
	engine        play.Engine
	stdout, shown io.Writer
	dir           string
	skipped       int
	documents     []*report.Document
}

// all runs everything, whatever comes of it, and is command.ErrTold if a verdict is not pass.
func (r *runner) all(ctx context.Context, scenarios []*scenario.Scenario) error {
	for i, s := range scenarios {
		dir := filepath.Join(r.dir, strconv.Itoa(i+1))
		d, err := r.one(ctx, s, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", s.File, err)
		}
		if d.Verdict == report.Pass && !r.flags.keep {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
		r.documents = append(r.documents, d)
		if err := r.told(d, len(scenarios)); err != nil {
			return err
		}
		if d.Verdict != report.Pass {
			_, _ = fmt.Fprintf(r.shown, "again: tagma-testnet run %s --engine %s --seed %d\n", s.File, r.engine.Name(), s.Seed)
		}
	}
	if err := r.summary(); err != nil {
		return err
	}
	if r.came(report.Pass) < len(r.documents) {
		return command.ErrTold
	}
	return nil
}

func (r *runner) one(ctx context.Context, s *scenario.Scenario, dir string) (*report.Document, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
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
	case of > 1:
		return d.PrintLine(r.shown, styleFor(r.shown))
	case r.flags.json:
		return nil
	default:
		return d.PrintScenario(r.stdout, styleFor(r.stdout))
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

// summary ends the output.
func (r *runner) summary() error {
	if !r.flags.json {
		if len(r.documents)+r.skipped < 2 {
			return nil
		}
		text := fmt.Sprintf("\n%d of %d passed", r.came(report.Pass), len(r.documents))
		if n := r.came(report.Inconclusive); n > 0 {
			text += fmt.Sprintf(", %d inconclusive", n)
		}
		if r.skipped > 0 {
			text += fmt.Sprintf(", %d skipped", r.skipped)
		}
		_, err := fmt.Fprintln(r.stdout, text)
		return err
	}
	if len(r.documents) == 1 {
		return command.PrintJSON(r.stdout, r.documents[0])
	}
	return command.PrintJSON(r.stdout, r.documents)
}
