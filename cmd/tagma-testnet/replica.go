package main

import (
	"errors"

	"github.com/spf13/cobra"

	"tagma/testnet/byzantine"
	"tagma/testnet/local"
)

func isReplica(args []string) bool { return len(args) > 0 && args[0] == local.ReplicaCommand }

// newReplica is what this program calls itself with for each replica.
func newReplica() *cobra.Command {
	var home, behaviour string
	cmd := &cobra.Command{
		Use:    local.ReplicaCommand,
		Short:  "Serve one replica until standard input ends",
		Hidden: true,
		Args:   noArguments,
		RunE: func(*cobra.Command, []string) error {
			if behaviour == "" {
				return local.Serve(home, nil)
			}
			choice, err := parseBehaviour(behaviour)
			if err != nil {
				return err
			}
			return local.Serve(home, &choice)
		},
	}
	cmd.Flags().StringVar(&home, "home", "", "the replica's directory")
	cmd.Flags().StringVar(&behaviour, "behaviour", "", "how it misbehaves")
	return cmd
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
