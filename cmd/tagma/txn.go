package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/kvtext"
)

func newTxn() *cobra.Command {
	var to target
	cmd := &cobra.Command{
		Use:   "txn FILE",
		Short: "Change several keys in one step that depends on what they are",
		Long: `Execute the transaction in FILE as one step; - stands for standard input. It has three parts with an empty line between
them: compares, operations for when all compares hold, and operations for when one does not. A part may be empty, and the
last ones left out. The store's revision rises by one, however many keys are changed.

Compares, with one of = != < > between spaces:
  version KEY = N            puts since the key was created; 0 if it does not exist
  create KEY = N             revision of its creation
  mod KEY = N                revision of its last put
  value KEY = VALUE          never holds for a key that does not exist

Operations:
  put KEY VALUE
  get KEY
  prefix PREFIX [LIMIT]      all keys that begin with PREFIX
  range START END [LIMIT]    START ≤ key < END; an empty END for no end
  delete KEY
  delete-prefix PREFIX
  delete-range START END

Words are separated by spaces. A word with spaces, or an empty one, stands in double quotes, with \n, \", \\ and \x00 as in
Go. Lines that begin with # are comments. A part has at most 128 lines, and changes no key twice.

It prints "succeeded" if all compares held, else "failed", with the revision, then a line for each operation that was
executed: OK, "deleted N", or KEY<TAB>VALUE for each key that was read and "(more)" where a limit cut them. Both are exit code 0.`,
		Example: `  tagma txn - <<'END'
  # take the lock unless somebody has it
  version lock = 0

  put lock me
  put lock/since "10 o'clock"

  get lock
  END`,
		Args: command.Takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := readTxn(args[0], cmd.InOrStdin())
			if err != nil {
				return command.NotUsable(err)
			}
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if done, err := to.sentOnly(ctx, cmd, c, t.Operation()); done {
					return err
				}
				var done *kvtext.Outcome
				result, err := c.Do(ctx, t.Operation())
				if err == nil {
					done, err = t.Outcome(result.Output(), result.Seq)
				}
				if err != nil {
					return fmt.Errorf("transaction: %w", err)
				}
				return command.Print(cmd, to.JSON, done, done.Print)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.semanticsFlag(cmd)
	return cmd
}

// maxTxnFile bounds how many bytes of a transaction are read. It is far more than a cluster accepts.
const maxTxnFile = 16 << 20

// readTxn reads and parses a transaction from a file or, for -, from standard input.
func readTxn(name string, stdin io.Reader) (*kvtext.Txn, error) {
	text, from, err := command.ReadInput("the transaction", name, stdin, maxTxnFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s; give a file with a transaction, or - for standard input", name)
	}
	if err != nil {
		return nil, err
	}
	if len(text) > maxTxnFile {
		return nil, fmt.Errorf("%s has more than %d bytes; is it a transaction?", from, maxTxnFile)
	}
	t, err := kvtext.ParseTxn(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; see `tagma help txn`", from, err)
	}
	return t, nil
}
