package concepts

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"tagma/scenarios"
	"tagma/testnet/play"
	"tagma/testnet/play/simulated"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Questions are the headings of the cards, beginning with number 1.
var Questions = []string{
	"Which ways of failing are there?",
	"How are failures masked?",
	"How does a replica recover?",
	"What does a group agree on?",
	"How do client and server speak reliably?",
	"How often is a call executed?",
	"What keeps the service up?",
	"What is consensus?",
}

// Card is one concept.
type Card struct {
	Question int    // number of the question to which it belongs, from 1 on
	Name     string // on the command line
	Title    string
	Text     string   // what the concept is, and what the scenario shows
	Scenario string   // name of the scenario, without ending; "": Run demonstrates the concept
	Look     string   // what to look at
	Code     []string // where it lives
	Check    Check    // checks that the concept was demonstrated, in addition to the scenario's own expectations
	// Run demonstrates the concept without a scenario, and writes a trace if there is a place for it. It returns what it
	// saw, and what is missing.
	Run func(t play.Trace) (saw string, lacks []string, err error)
	// Live has it happen with replicas as processes, and is otherwise as Run.
	Live func(ctx context.Context, p Place) (saw string, lacks []string, err error)
}

// Cards are the concepts, by question.
var Cards = slices.Concat(failures, recovery, communication, service)

// Outcome is what came of showing a concept.
type Outcome struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	Question int    `json:"question"`
	Scenario string `json:"scenario,omitempty"`
	Shown    bool   `json:"shown"` // it happened, and was masked as the card says
	Saw      string `json:"saw"`   // what the check looked at
	Why      string `json:"why,omitempty"`
}

// Show has a concept happen, in a directory for its files. A program that calls it calls local.RunIfReplica first.
func Show(ctx context.Context, c *Card, dir string) (Outcome, error) {
	return ShowTraced(ctx, c, dir, "")
}

// ShowTraced is Show that also writes the trace of the run to a file.
func ShowTraced(ctx context.Context, c *Card, dir, traced string) (Outcome, error) {
	t := play.Trace{File: traced}
	run := c.Run
	if c.Live != nil {
		run = func(t play.Trace) (string, []string, error) {
			return c.Live(ctx, Place{Dir: filepath.Join(dir, c.Name), Trace: t})
		}
	}
	if run != nil {
		saw, lacks, err := run(t)
		out := Outcome{Name: c.Name, Title: c.Title, Question: c.Question}
		out.Saw, out.Why, out.Shown = saw, strings.Join(lacks, "; "), err == nil && len(lacks) == 0
		return out, err
	}
	file := "scenarios/" + c.Scenario + ".toml"
	text, err := scenarios.Files.ReadFile(c.Scenario + ".toml")
	if err != nil {
		return Outcome{}, err
	}
	s, err := scenario.Parse(file, text)
	if err != nil {
		return Outcome{}, err
	}
	return show(ctx, c, s, play.Options{Dir: filepath.Join(dir, c.Name), Trace: t})
}

func show(ctx context.Context, c *Card, s *scenario.Scenario, o play.Options) (Outcome, error) {
	out := Outcome{Name: c.Name, Title: c.Title, Question: c.Question, Scenario: s.File}
	d, err := play.Run(ctx, simulated.Engine{}, s, o, play.Silent{})
	if err != nil {
		return out, fmt.Errorf("%s: %w", s.File, err)
	}
	saw, why := c.Check(s, d)
	if d.Verdict != report.Pass {
		why = append([]string{"the scenario's verdict is " + d.Verdict}, why...)
	}
	out.Saw, out.Why, out.Shown = saw, strings.Join(why, "; "), len(why) == 0
	return out, nil
}

// Find returns a card by its name.
func Find(name string) (*Card, bool) {
	i := slices.IndexFunc(Cards, func(c Card) bool { return c.Name == name })
	return &Cards[max(i, 0)], i >= 0
}

// Page is the cards of docs/concepts.md.
func Page() string {
	var page strings.Builder
	question := 0
	for i := range Cards {
		c := &Cards[i]
		if c.Question != question {
			question = c.Question
			fmt.Fprintf(&page, "\n## Q%d %s\n", question, Questions[question-1])
		}
		runs := " in the simulator"
		if c.Live != nil {
			runs = " with replicas that are processes"
		}
		if c.Scenario != "" {
			runs = fmt.Sprintf(", which runs [%s](../scenarios/%s.toml)%s", c.Scenario, c.Scenario, runs)
		}
		fmt.Fprintf(&page, "\n### %s\n\n%s\n\n- Show it: `tagma-testnet concepts %s`%s.\n- Look at: %s\n- Where it lives: %s\n",
			c.Title, c.Text, c.Name, runs, c.Look, "`"+strings.Join(c.Code, "`, `")+"`")
	}
	return page.String()
}
