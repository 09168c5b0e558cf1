package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tagma/internal/command"
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
			if asJSON {
				return printRowsJSON(cmd.OutOrStdout())
			}
			_, err := io.WriteString(cmd.OutOrStdout(), rowsText())
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func rowsText() string {
	text, model := "", byzantine.Model("")
	for _, r := range byzantine.Rows() {
		if r.Model != model {
			if model != "" {
				text += "\n"
			}
			model = r.Model
			text += fmt.Sprintf("%s: %s\n", model, model.Summary())
		}
		who := ""
		if r.Who != byzantine.OfReplica {
			who = fmt.Sprintf("(%s) ", r.Who)
		}
		text += fmt.Sprintf("  %-20s %s%s\n", r.Name, who, r.Summary)
		for _, p := range r.Parameters {
			text += fmt.Sprintf("    %-18s %s (default %s)\n", p.Name, p.Summary, p.Default)
		}
		if r.Use != "" {
			text += fmt.Sprintf("    in a scenario      %s\n", r.Use)
		}
		text += fmt.Sprintf("    bound              %s\n", r.Bound)
	}
	return text
}

// rowJSON is one row of the catalogue as programs read it.
type rowJSON struct {
	Name       string          `json:"name"`
	Model      string          `json:"model"`
	Party      string          `json:"party"`
	Summary    string          `json:"summary"`
	Bound      string          `json:"bound"`
	Use        string          `json:"use,omitempty"`
	Parameters []parameterJSON `json:"parameters"`
}

type parameterJSON struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Summary string `json:"summary"`
}

func printRowsJSON(w io.Writer) error {
	document := []rowJSON{}
	for _, r := range byzantine.Rows() {
		row := rowJSON{
			Name: r.Name, Model: string(r.Model), Party: string(r.Who), Summary: r.Summary, Bound: r.Bound, Use: r.Use,
			Parameters: []parameterJSON{},
		}
		for _, p := range r.Parameters {
			row.Parameters = append(row.Parameters, parameterJSON{p.Name, p.Default, p.Summary})
		}
		document = append(document, row)
	}
	return command.PrintJSON(w, map[string]any{"behaviours": document})
}

// explained adds to the error of a choice what was probably meant by a name that does not exist.
func explained(err error) error {
	var unknown *byzantine.UnknownError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%w;%s `tagma-testnet behaviours` explains them", err, command.Meant(unknown.Name, unknown.Known, ""))
	}
	return err
}
