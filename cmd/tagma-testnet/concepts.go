package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/testnet/concepts"
)

func newConcepts() *cobra.Command {
	var j job
	var list, page bool
	cmd := &cobra.Command{
		Use:   "concepts [NAME...]",
		Short: "Have concepts of fault tolerance happen, one by one or all, and check that they did",
		Long: `Show concepts of fault tolerance: each happens, in the simulator or with real processes, and a check says whether it did.
Without a name all are shown. --list names them. docs/concepts.md explains each.

The exit code is 0 if all happened and were masked as their cards say, else 1.`,
		Example: `  tagma-testnet concepts --list
  tagma-testnet concepts byzantine
  tagma-testnet concepts --json | jq '.[] | select(.shown | not)'`,
		RunE: func(cmd *cobra.Command, names []string) error {
			cards, err := cardsOf(names)
			switch {
			case err != nil:
				return err
			case page:
				return terminal.Say(cmd.OutOrStdout(), "%s", concepts.Page())
			case list:
				return listCards(cmd.OutOrStdout(), cards)
			}
			return j.within(j.shown(cmd), func(dir string) error { return showCards(cmd.Context(), cmd, &j, dir, cards) })
		},
	}
	j.flags(cmd)
	cmd.Flags().BoolVar(&list, "list", false, "name the concepts and show none")
	cmd.Flags().BoolVar(&page, "page", false, "print the cards as docs/concepts.md has them")
	var all []string
	for i := range concepts.Cards {
		all = append(all, concepts.Cards[i].Name)
	}
	cmd.ValidArgs = all
	return cmd
}

// cardsOf returns the cards with these names, or all cards if there are no names.
func cardsOf(names []string) ([]*concepts.Card, error) {
	var cards []*concepts.Card
	var all []string
	for i := range concepts.Cards {
		all = append(all, concepts.Cards[i].Name)
		if len(names) == 0 {
			cards = append(cards, &concepts.Cards[i])
		}
	}
	for _, name := range names {
		c, ok := concepts.Find(name)
		if !ok {
			return nil, command.Unusablef("concepts: there is no concept %q;%s `tagma-testnet concepts --list` names them", name, command.Meant(name, all, ""))
		}
		cards = append(cards, c)
	}
	return cards, nil
}

func listCards(w io.Writer, cards []*concepts.Card) error {
	question := 0
	for _, c := range cards {
		if c.Question != question {
			question = c.Question
			if _, err := fmt.Fprintf(w, "Q%d %s\n", question, concepts.Questions[question-1]); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(w, "   %-28s %s\n", c.Name, c.Title); err != nil {
			return err
		}
	}
	return nil
}

// marks are printed before a card. They say whether the run showed what the card states.
var marks = map[bool]string{true: "✓", false: "✗"}

// showCards runs the demonstration of each card and prints the card at once.
func showCards(ctx context.Context, cmd *cobra.Command, j *job, dir string, cards []*concepts.Card) error {
	var outcomes []concepts.Outcome
	shown := 0
	for _, c := range cards {
		o, err := concepts.Show(ctx, c, dir)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, o)
		if o.Shown {
			shown++
		}
		if len(cards) == 1 {
			_, _ = fmt.Fprintf(j.shown(cmd), "%s\n\n%s\n\nLook at: %s\n\n", c.Title, c.Text, c.Look)
		}
		_, _ = fmt.Fprintf(j.shown(cmd), "%s %-28s %s\n", marks[o.Shown], o.Name, o.Saw)
		if o.Why != "" {
			_, _ = fmt.Fprintf(j.shown(cmd), "  ✗ %s\n", o.Why)
		}
	}
	return j.tell(cmd, outcomes, shown == len(cards), func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d of %d concepts happened as their cards say\n", shown, len(cards))
		return err
	})
}

func newConsensus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "consensus",
		Short: "Measure both fault models, and show a run in the words of Paxos, viewstamped replication and Raft",
		Long: `Measure, in the simulator, what one operation costs clusters that mask crashes and clusters that mask liars: messages
between replicas, syncs and latency. Then show a run of three replicas of the crash-fault mode, in which the primary dies,
with what Paxos, viewstamped replication and Raft call each step. docs/consensus.md explains both.`,
		Example: `  tagma-testnet consensus
  tagma-testnet consensus --json | jq '.[] | {replicas, messages, syncs}'`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				costs, err := concepts.Costs()
				if err != nil {
					return err
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(costs)
			}
			page, err := concepts.ConsensusPage()
			if err != nil {
				return err
			}
			return terminal.Say(cmd.OutOrStdout(), "%s", page)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was measured, as one JSON document")
	return cmd
}
