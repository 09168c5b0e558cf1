// Command hunt builds a hunter with each mutant laid over the source and requires that it catches the mutant within its
// budget: `make mutants`.
//
// It owns builds, budgets and the table of results. It must not change the checkout, and no shipped program contains it.
// For each mutant it builds itself together with the mutant, and runs the resulting program, which hunts.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"tagma/testnet/mutants"
)

// Exit codes.
const (
	exitSurvivors = 1
	exitUnusable  = 2
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == insideWord {
		os.Exit(inside(os.Args[2:], os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := outside(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// order holds the command's flags.
type order struct {
	only, source, table string
	seeds               uint64
	limit               time.Duration
	jobs                int
	json                bool
}

func outside(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o order
	f := flag.NewFlagSet("hunt", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.only, "only", "", "hunt the mutants with these `names` alone, separated by commas")
	f.Uint64Var(&o.seeds, "seeds", 0, "the budget of each in `seeds` (default its own, or 300)")
	f.DurationVar(&o.limit, "limit", 5*time.Minute, "the longest that one hunt may take")
	f.IntVar(&o.jobs, "jobs", 2, "how many hunts run at once")
	f.BoolVar(&o.json, "json", false, "print one JSON document instead of lines")
	f.StringVar(&o.table, "table", "", "write the table into this `file`, between its marks")
	f.StringVar(&o.source, "source", ".", "the `folder` of the module")
	if err := f.Parse(args); err != nil {
		return exitUnusable
	}
	list, err := o.chosen()
	if err == nil && o.jobs < 1 {
		err = fmt.Errorf("%d hunts at once: run at least one", o.jobs)
	}
	var all []*result
	if err == nil {
		progress := stdout
		if o.json {
			progress = io.Discard
		}
		all, err = o.hunt(ctx, list, progress)
	}
	if err == nil {
		err = o.tell(all, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "hunt:", err)
		return exitUnusable
	}
	if slices.ContainsFunc(all, func(r *result) bool { return !r.Caught }) {
		return exitSurvivors
	}
	return 0
}

// chosen returns the mutants to hunt.
func (o *order) chosen() ([]mutants.Mutant, error) {
	list, err := mutants.List()
	if err != nil || o.only == "" {
		return list, err
	}
	var some []mutants.Mutant
	for _, name := range strings.Split(o.only, ",") {
		i := slices.IndexFunc(list, func(m mutants.Mutant) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no mutant %q; see testnet/mutants for their names", name)
		}
		some = append(some, list[i])
	}
	return some, nil
}

// tell writes the results of all hunts.
func (o *order) tell(all []*result, stdout io.Writer) error {
	if o.table != "" {
		if err := writeTable(o.table, all); err != nil {
			return err
		}
	}
	if o.json {
		e := json.NewEncoder(stdout)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Mutants []*result `json:"mutants"`
		}{all})
	}
	var failed []string
	for _, r := range all {
		if !r.Caught {
			failed = append(failed, r.Name)
		}
	}
	words := fmt.Sprintf("\n%d mutants, %d caught", len(all), len(all)-len(failed))
	if len(failed) > 0 {
		words += "; not caught: " + strings.Join(failed, ", ")
	}
	_, err := fmt.Fprintln(stdout, words)
	return err
}
