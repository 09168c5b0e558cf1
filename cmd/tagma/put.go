package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/statemachine/kv"
)

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
			what := "put " + command.Quote(args[0])
			value, err := valueOf(args, file, cmd.InOrStdin())
			if err != nil {
				return command.NotUsable(fmt.Errorf("%s: %w", what, err))
			}
			return perform(cmd, &to, what, kv.Put([]byte(args[0]), value), kv.DecodePut, func(put kv.PutResult, seq uint64) (any, string) {
				return changed{Key: args[0], Revision: put.Revision, Seq: seq}, fmt.Sprintf("OK rev %d\n", put.Revision)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.semanticsFlag(cmd)
	to.receiptFlag(cmd)
	cmd.Flags().StringVar(&file, "value-file", "", "set KEY to what this `file` holds; - is standard input")
	return cmd
}

// valueOf returns the value that the command line gives. It does not read more than the longest possible value.
func valueOf(args []string, file string, stdin io.Reader) ([]byte, error) {
	if file == "" {
		if args[1] != "-" {
			return []byte(args[1]), nil
		}
		file = "-"
	}
	value, from, err := command.ReadInput("the value", file, stdin, kv.MaxValueBytes)
	if err != nil {
		return nil, err
	}
	if len(value) > kv.MaxValueBytes {
		return nil, fmt.Errorf("%s holds more than the %d bytes that a value may have; put it under several keys", from, kv.MaxValueBytes)
	}
	return value, nil
}

// changed is what put and delete print as JSON.
type changed struct {
	Key      string  `json:"key"`
	Revision uint64  `json:"revision"` // of the store, after the operation
	Deleted  *uint64 `json:"deleted,omitempty"`
	Seq      uint64  `json:"seq"` // of the batch that executed the operation
}

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
			op := kv.Delete([]byte(args[0]))
			return perform(cmd, &to, "delete "+command.Quote(args[0]), op, kv.DecodeDeleteRange, func(gone kv.DeleteRangeResult, seq uint64) (any, string) {
				return changed{Key: args[0], Revision: gone.Revision, Deleted: &gone.Deleted, Seq: seq},
					fmt.Sprintf("OK rev %d deleted %d\n", gone.Revision, gone.Deleted)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.semanticsFlag(cmd)
	to.receiptFlag(cmd)
	return cmd
}

// reverted is what `tagma revert` prints as JSON.
type reverted struct {
	Prefix   string `json:"prefix"`
	To       uint64 `json:"to"`
	Revision uint64 `json:"revision"` // of the store, after the operation
	Put      uint64 `json:"put"`      // keys that were put
	Deleted  uint64 `json:"deleted"`
	Seq      uint64 `json:"seq"` // of the batch that executed the operation
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
				return t.print(cmd, reverted{Prefix: args[0], To: to, Revision: r.Revision, Put: r.Put, Deleted: r.Deleted, Seq: r.Seq},
					fmt.Sprintf("OK rev %d put %d deleted %d\n", r.Revision, r.Put, r.Deleted))
			})
		},
	}
	t.flags(cmd, defaultTimeout)
	t.semanticsFlag(cmd)
	cmd.Flags().Uint64Var(&to, "to", 0, "go back to the state after this `sequence` number")
	return cmd
}
