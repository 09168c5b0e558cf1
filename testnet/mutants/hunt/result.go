package main

import (
	"fmt"
	"os"
	"strings"

	"tagma/testnet/mutants"
)

// result is the result of hunting one mutant.
type result struct {
	Name    string  `json:"name"`
	What    string  `json:"what"`
	Hunter  string  `json:"hunter"`
	Caught  bool    `json:"caught"`
	Seconds float64 `json:"seconds"` // of processor time, for the hunt
	hunterResult
	// Unexpected says that the checker found something else than the mutant's file expects.
	Unexpected bool   `json:"unexpected,omitempty"`
	Trouble    string `json:"trouble,omitempty"` // the error that kept it from being caught; "": none
}

// line returns the result as it is printed during the hunt.
func (r *result) line() string {
	switch {
	case r.Trouble != "":
		return fmt.Sprintf("FAIL  %-30s %s", r.Name, r.Trouble)
	case !r.Caught:
		return fmt.Sprintf("FAIL  %-30s survives %s in %.0f s: %s", r.Name, r.runs(), r.Seconds, r.What)
	}
	words := fmt.Sprintf("ok    %-30s %-8s after %s in %.1f s", r.Name, r.By, r.runs(), r.Seconds)
	if r.Unexpected {
		words += ", which its file does not expect"
	}
	return words + ": " + shortened(r.Finding)
}

func (r *result) runs() string {
	switch {
	case r.Hunter == string(mutants.Explore):
		return "one search"
	case r.Hunter == string(mutants.Test):
		return "one test"
	case r.Runs == 1:
		return "1 seed"
	}
	return fmt.Sprintf("%d seeds", r.Runs)
}

const shown = 110 // characters of a finding

func shortened(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > shown {
		text = text[:shown] + "…"
	}
	return text
}

// The table in the documentation is between these lines.
const (
	tableBegins = "<!-- mutants: written by make mutants -->"
	tableEnds   = "<!-- end of mutants -->"
)

// writeTable puts the table between its marks.
func writeTable(file string, all []*result) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegins)
	_, after, closed := strings.Cut(rest, tableEnds)
	if !ok || !closed {
		return fmt.Errorf("write the table: %s has no lines %q and %q around its place", file, tableBegins, tableEnds)
	}
	return os.WriteFile(file, []byte(before+tableBegins+"\n"+table(all)+tableEnds+after), 0o644) //nolint:gosec // a document
}

func table(all []*result) string {
	var b strings.Builder
	b.WriteString("| mutant | what is broken | hunter | until it is caught | caught by |\n|---|---|---|---|---|\n")
	for _, r := range all {
		until := fmt.Sprintf("%s, %.1f s", r.runs(), r.Seconds)
		by := r.By
		if !r.Caught {
			by = "**not caught**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Name, r.What, r.hunter(), until, by)
	}
	return b.String()
}

func (r *result) hunter() string {
	if r.Plan != "" {
		return r.Hunter + ", " + strings.TrimSuffix(r.Plan, ".json")
	}
	return r.Hunter
}
