package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/testnet/byzantine"
)

func newBehaviours() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "behaviours",
		Short: "List what can go wrong, on purpose: behaviours and faults, with parameters and bounds",
		Long: `List the catalogue of faults by failure model, the mildest first: what each does, its parameters with their defaults, and
what the cluster keeps up in spite of it. T is the view timeout. A replica's behaviour is chosen with start --malicious or
in a scenario, a client's and the others in a scenario.`,
		Example: `  tagma-testnet behaviours --json
  tagma-testnet start --malicious 3=equivocate,phase=commit`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			document := map[string]any{"behaviours": byzantine.Rows()}
			return command.Print(cmd, asJSON, document, func(w io.Writer) error { return terminal.Say(w, "%s", byzantine.Text()) })
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// explained adds to the error for an unknown name the known name that is most similar.
func explained(err error) error {
	var unknown *byzantine.UnknownError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w;%s `tagma-testnet behaviours` explains them", err, command.Meant(unknown.Name, unknown.Known, ""))
	}
	return err
}
