package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/statemachine/kv"
)

// defaultTimeout is how long client commands try.
const defaultTimeout = 10 * time.Second

func newPut() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use:   "put KEY VALUE",
		Short: "Set a key",
		Long: `Set KEY to VALUE. It prints the revision that this made: the store's revision rises by one with every operation that
changes something. When it returns, f+1 replicas have said that it is done, so at least one correct one has.`,
		Example: `  tagma put greeting hello
  tagma put offset -- -5`,
		Args: command.Takes("KEY", "VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				op := kv.Put([]byte(args[0]), []byte(args[1]))
				if done, err := to.sentOnly(ctx, cmd, c, op); done {
					return err
				}
				result, err := c.Do(ctx, op)
				if err != nil {
					return fmt.Errorf("put %q: %w", args[0], err)
				}
				put, err := kv.DecodePut(result.Output())
				if err != nil {
					return fmt.Errorf("put %q: %w", args[0], err)
				}
				if to.json {
					return command.PrintJSON(cmd.OutOrStdout(), changed{Key: args[0], Revision: put.Revision, Seq: result.Seq})
				}
				return say(cmd.OutOrStdout(), "OK rev %d\n", put.Revision)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.semanticsFlag(cmd)
	return cmd
}

// changed is what put and delete print as JSON.
type changed struct {
	Key      string  `json:"key"`
	Revision uint64  `json:"revision"` // of the store, after it
	Deleted  *uint64 `json:"deleted,omitempty"`
	Seq      uint64  `json:"seq"` // of the batch it was executed in
}
