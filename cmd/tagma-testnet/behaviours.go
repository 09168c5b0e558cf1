package main

import (
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
