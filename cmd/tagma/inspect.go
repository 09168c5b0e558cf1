package main

import (
	"errors"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/inspect"
	"tagma/internal/operate"
)

func newJournal() *cobra.Command {
	var asJSON, summary bool
	cmd := &cobra.Command{
		Use:   "journal FILE|HOME",
		Short: "Print and verify a replica's journal",
		Long: `Read the journal of the replica whose home HOME is, check every sector of it, and print one line for each record. FILE
prints one segment of a journal; what is around it is checked too. It changes and locks nothing, and works while the
replica runs.

A torn turn at the end is what a crash leaves behind and is in order: nothing of it was sent. Anything else that does not
check out is damage: exit code 1 and the place.`,
		Example: `  tagma journal demo/replica0
  tagma journal demo/replica0 --summary
  tagma journal demo/replica0/journal/0000000000000001.segment --json`,
		Args: command.Takes("FILE|HOME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			read, err := inspect.ReadJournal(args[0], summary)
			if err != nil {
				return err
			}
			err = command.Print(cmd, asJSON, read, read.Print)
			return errors.Join(read.Err(), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&summary, "summary", false, "print segments only, not records")
	return cmd
}

func newEvidence() *cobra.Command {
	var (
		verify, asJSON bool
		clusterFile    string
	)
	cmd := &cobra.Command{
		Use:   "evidence HOME",
		Short: "List proof of misbehaviour that a replica has kept",
		Long: `List what the replica whose home HOME is can prove against others: two statements, both signed by the accused, of which
a correct replica signs only one. It lists too when the state of that replica itself was not the one that a quorum signed
after a checkpoint, and which keys differed when it was repaired. With --verify check the signatures with the cluster's keys alone: no replica need run,
and none is trusted. A file that proves nothing makes the exit code 1. HOME may be a copy of a home or of its evidence.`,
		Example: `  tagma evidence demo/replica1
  tagma evidence demo/replica1 --verify
  tagma evidence copied/ --verify --cluster demo/cluster.toml`,
		Args:              command.Takes("HOME"),
		ValidArgsFunction: operate.Homes,
		RunE: func(cmd *cobra.Command, args []string) error {
			var check *inspect.Check
			if verify {
				var err error
				if check, err = inspect.NewCheck(args[0], clusterFile); err != nil {
					return err
				}
			}
			found, err := inspect.ReadEvidence(args[0], check)
			if err != nil {
				return err
			}
			if err := command.Print(cmd, asJSON, found, found.Print); err != nil {
				return err
			}
			return found.Err()
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&verify, "verify", false, "check the signatures")
	flags.StringVar(&clusterFile, "cluster", "", "cluster `file` to check with (default: the one that HOME names)")
	flags.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
