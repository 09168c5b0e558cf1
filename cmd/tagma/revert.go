package main

import (
	"context"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/statemachine/kv"
)

// reverted is what `tagma revert` prints as JSON.
type reverted struct {
	Prefix   string `json:"prefix"`
	To       uint64 `json:"to"`
	Revision uint64 `json:"revision"` // of the store, after it
	Put      uint64 `json:"put"`      // keys
	Deleted  uint64 `json:"deleted"`
	Seq      uint64 `json:"seq"` // of the batch it was executed in
}

func newRevert() *cobra.Command {
	var t target
	var to uint64
	cmd := &cobra.Command{
		Use:   "revert PREFIX --to SEQ",
		Short: "Give all keys with a prefix the values they had",
		Long: `Give every key that begins with PREFIX the value that it had after a sequence number, which put, delete, txn and revert
print with --json. It is one operation: keys that have another value now, or are gone, are put, and those that did not exist
then are deleted. An empty PREFIX stands for all. It prints the store's revision and how many keys were put and deleted.

tagma get PREFIX --prefix --at SEQ shows beforehand what it will make of them; a revert can itself be reverted.

The cluster must keep a history: history in [protocol] of cluster.toml says how many sequence numbers back. A prefix with
more keys than one operation may change is left as it is; revert longer prefixes then, one after the other.`,
		Example: `  tagma revert user/ --to 42
  tagma revert "" --to 42 --json`,
		Args: command.Takes("PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("to") {
				return command.Unusablef("revert: no sequence number given; say with --to SEQ which state to go back to")
			}
			return t.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if done, err := t.sentOnly(ctx, cmd, c, kv.Revert([]byte(args[0]), to)); done {
					return err
				}
				r, err := kv.NewClient(c).Revert(ctx, args[0], to)
				if err != nil {
					return err
				}
				if t.JSON {
					return command.PrintJSON(cmd.OutOrStdout(),
						reverted{Prefix: args[0], To: to, Revision: r.Revision, Put: r.Put, Deleted: r.Deleted, Seq: r.Seq})
				}
				return terminal.Say(cmd.OutOrStdout(), "OK rev %d put %d deleted %d\n", r.Revision, r.Put, r.Deleted)
			})
		},
	}
	t.flags(cmd, defaultTimeout)
	t.semanticsFlag(cmd)
	cmd.Flags().Uint64Var(&to, "to", 0, "go back to the state after this `sequence` number")
	return cmd
}
