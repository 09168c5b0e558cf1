package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tagma/testnet/byzantine"
)

func newBehaviours() *cobra.Command {
	return &cobra.Command{
		Use:     "behaviours",
		Short:   "List the ways in which a replica can misbehave",
		Example: `  tagma-testnet start --malicious 3=equivocate,phase=commit`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text := ""
			for _, b := range byzantine.Catalogue() {
				text += fmt.Sprintf("%-14s %s\n", b.Name, b.Summary)
				for _, p := range b.Parameters {
					text += fmt.Sprintf("  %-12s %s (default %s)\n", p.Name, p.Summary, p.Default)
				}
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
}

// parseBehaviour reads a behaviour with its parameters and asks after what was meant by an unknown one.
func parseBehaviour(text string) (byzantine.Choice, error) {
	choice, err := byzantine.ParseChoice(text)
	var unknown *byzantine.UnknownError
	switch {
	case errors.As(err, &unknown):
		return choice, unusablef("%w;%s `tagma-testnet behaviours` explains them", err, meant(unknown.Name, unknown.Known, ""))
	case err != nil:
		return choice, unusable{err}
	}
	return choice, nil
}
