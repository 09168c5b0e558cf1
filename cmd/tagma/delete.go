package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/statemachine/kv"
)

func newDelete() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use:   "delete KEY",
		Short: "Delete a key",
		Long: `Delete KEY. It prints the store's revision and how many keys were deleted. A key that does not exist is no error: 0
were deleted, and the revision stays.`,
		Example: `  tagma delete greeting`,
		Args:    command.Takes("KEY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				op := kv.Delete([]byte(args[0]))
				if done, err := to.sentOnly(ctx, cmd, c, op); done {
					return err
				}
				result, err := c.Do(ctx, op)
				if err != nil {
					return fmt.Errorf("delete %s: %w", command.Quote(args[0]), err)
				}
				gone, err := kv.DecodeDeleteRange(result.Output())
				if err != nil {
					return fmt.Errorf("delete %s: %w", command.Quote(args[0]), err)
				}
				if to.JSON {
					return command.PrintJSON(cmd.OutOrStdout(),
						changed{Key: args[0], Revision: gone.Revision, Deleted: &gone.Deleted, Seq: result.Seq})
				}
				return terminal.Say(cmd.OutOrStdout(), "OK rev %d deleted %d\n", gone.Revision, gone.Deleted)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.semanticsFlag(cmd)
	return cmd
}
