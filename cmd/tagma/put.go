package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/statemachine/kv"
)

// defaultTimeout is how long client commands try.
const defaultTimeout = 10 * time.Second

func newPut() *cobra.Command {
	var to target
	var file string
	cmd := &cobra.Command{
		Use:   "put KEY VALUE | put KEY - | put KEY --value-file FILE",
		Short: "Set a key",
		Long: `Set KEY to VALUE: to the argument, to what standard input holds if it is -, or to what FILE holds. Bytes are taken as
they are, up to 128 KiB, and none at all is a value too. It prints the revision that this made: the store's revision rises by
one with every operation that changes something. When it returns, f+1 replicas have said that it is done, so at least one
correct one has.`,
		Example: `  tagma put greeting hello
  tagma put offset -- -5
  tar c notes | tagma put notes.tar -
  tagma put picture --value-file picture.png`,
		Args: func(cmd *cobra.Command, args []string) error {
			if file != "" {
				return command.Takes("KEY")(cmd, args)
			}
			return command.Takes("KEY", "VALUE")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := valueOf(args, file, cmd.InOrStdin())
			if err != nil {
				return command.NotUsable(fmt.Errorf("put %s: %w", command.Quote(args[0]), err))
			}
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				op := kv.Put([]byte(args[0]), value)
				if done, err := to.sentOnly(ctx, cmd, c, op); done {
					return err
				}
				result, err := c.Do(ctx, op)
				if err != nil {
					return fmt.Errorf("put %s: %w", command.Quote(args[0]), err)
				}
				put, err := kv.DecodePut(result.Output())
				if err != nil {
					return fmt.Errorf("put %s: %w", command.Quote(args[0]), err)
				}
				if to.JSON {
					return command.PrintJSON(cmd.OutOrStdout(), changed{Key: args[0], Revision: put.Revision, Seq: result.Seq})
				}
				return terminal.Say(cmd.OutOrStdout(), "OK rev %d\n", put.Revision)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.semanticsFlag(cmd)
	cmd.Flags().StringVar(&file, "value-file", "", "set KEY to what this `file` holds; - is standard input")
	return cmd
}

// valueOf is the value that a command line gives. What is longer than a value may be is not read to its end.
func valueOf(args []string, file string, stdin io.Reader) ([]byte, error) {
	from, name := stdin, "standard input"
	switch {
	case file != "" && file != "-":
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the value: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		from, name = f, file
	case file == "" && args[1] != "-":
		return []byte(args[1]), nil
	}
	value, err := io.ReadAll(io.LimitReader(from, kv.MaxValueBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the value from %s: %w", name, err)
	}
	if len(value) > kv.MaxValueBytes {
		return nil, fmt.Errorf("%s holds more than the %d bytes that a value may have; put it under several keys", name, kv.MaxValueBytes)
	}
	return value, nil
}

// changed is what put and delete print as JSON.
type changed struct {
	Key      string  `json:"key"`
	Revision uint64  `json:"revision"` // of the store, after it
	Deleted  *uint64 `json:"deleted,omitempty"`
	Seq      uint64  `json:"seq"` // of the batch it was executed in
}
