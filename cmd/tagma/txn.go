package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/kvtext"
	"tagma/txn"
)

func newTxn() *cobra.Command {
	var s several
	var deadline time.Duration
	to := &s.target
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

With --with the transaction is over several clusters: a line @NAME begins the part of a cluster, compares first, then put and
delete alone. If all compares of all parts hold, all parts are executed, and else none is. The cluster of the first part
coordinates; the clusters must know each other (tagma help group). It prints "committed" and the transaction's identifier.

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
			text, from, err := readTxn(args[0], cmd.InOrStdin())
			if err != nil {
				return command.NotUsable(err)
			}
			if len(s.with) > 0 {
				return s.txnAcross(cmd, text, from, deadline, to.receipt)
			}
			t, err := kvtext.ParseTxn(text)
			if err != nil {
				return command.NotUsable(fmt.Errorf("%s: %w; see `tagma help txn`", from, err))
			}
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if done, err := to.sentOnly(ctx, cmd, c, t.Operation()); done {
					return err
				}
				var done *kvtext.Outcome
				result, err := to.perform(ctx, c, t.Operation())
				if err == nil {
					done, err = t.Outcome(result.Output(), result.Seq)
				}
				if err != nil {
					return fmt.Errorf("transaction: %w", err)
				}
				return command.Print(cmd, to.JSON, named(done, result.Request), done.Print)
			})
		},
	}
	to.flags(cmd, defaultTimeout)
	to.semanticsFlag(cmd)
	s.acrossFlags(cmd, &deadline, &to.receipt)
	return cmd
}

// txnAcross runs a transaction over several clusters.
func (s *several) txnAcross(cmd *cobra.Command, text, from string, deadline time.Duration, receipt string) error {
	parts, err := kvtext.ParseParts(text)
	if err != nil {
		return command.NotUsable(fmt.Errorf("%s: %w; see `tagma help txn`", from, err))
	}
	return s.each(cmd.Context(), 2, func(ctx context.Context) error {
		groups := make([]*txn.Group, len(parts))
		for i, p := range parts {
			if groups[i], err = s.group(p.Name); err != nil {
				return err
			}
		}
		t := txn.New(groups...).Deadline(deadline)
		for i, p := range parts {
			t.Part(groups[i], p.Op)
		}
		return s.runAndTell(ctx, cmd, "transaction", t, receipt)
	})
}

// maxTxnFile bounds how many bytes of a transaction are read. It is far more than a cluster accepts.
const maxTxnFile = 16 << 20

// readTxn reads a transaction from a file or, for -, from standard input.
func readTxn(name string, stdin io.Reader) (text, from string, err error) {
	content, from, err := command.ReadInput("the transaction", name, stdin, maxTxnFile)
	if errors.Is(err, os.ErrNotExist) {
		return "", "", fmt.Errorf("there is no %s; give a file with a transaction, or - for standard input", name)
	}
	if err != nil {
		return "", "", err
	}
	if len(content) > maxTxnFile {
		return "", "", fmt.Errorf("%s has more than %d bytes; is it a transaction?", from, maxTxnFile)
	}
	return string(content), from, nil
}
