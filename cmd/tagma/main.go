// Command tagma is what operators and users run: it makes clusters, runs a replica, reads and writes keys, and shows
// what replicas, journals and evidence contain. It owns flags, output and exit codes, decides nothing about the
// protocol, and never links an attacker.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/internal/operate"
	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/statemachine/kv"
	"tagma/txn"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// program describes this program to the shared commands. Tests replace its machines.
var program = &operate.Program{
	Name: "tagma", Machines: machines.Shipped, First: "  tagma put greeting hello\n  tagma get greeting\n",
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tagma",
		Short: "A replicated key-value store that stays correct while some of its replicas lie",
		Long: `tagma runs and uses a Byzantine fault tolerant replicated key-value store (PBFT).

A cluster of 3f+1 replicas stays correct and available while up to f of them crash, lie or are stolen.

Exit codes: 0 done, 1 the operation failed, 2 unusable arguments or configuration, 3 the key, or the account, does not exist.`,
		Example: `  tagma init --dir demo
  tagma node --home demo/replica0        # and replica1, replica2, replica3
  tagma put greeting hello --cluster demo/cluster.toml`,
	}
	command.Prepare(root)
	command.AddVersion(root, node.Formats())
	root.AddCommand(
		program.Init(), program.Node(),
		newPut(), newGet(), newDelete(), newTxn(), newRevert(), newWatch(), newBank(),
		program.Status(), program.Why(), program.Upgrade(), program.Keys(), newJournal(), newEvidence(), newBench(),
		newGroup(), newCommit(), newReceipt(),
		newBackup(), newVerify(), newRestore(), newExport(), newImport(),
	)
	return root
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return command.Execute(ctx, newRoot(), args, stdout, stderr, codeOf)
}

// errorCodes are the codes of errors in JSON, in addition to those of package command. The first that applies is used.
var errorCodes = []struct {
	code string
	is   error
}{
	{"busy", client.ErrBusy},
	{"unequal", client.ErrUnequal},
	{"unknown-outcome", client.ErrUnknown},
	{"not-sent", client.ErrNotSent},
	{"expired", client.ErrExpired},
	{"conflict", client.ErrConflict},
	{"refused", client.ErrRefused},
	{"not-retained", client.ErrNotRetained},
	{"not-executed", client.ErrNotExecuted},
	{"no-history", kv.ErrNoHistory},
	{"compacted", statemachine.ErrCompacted},
	{"many-watches", client.ErrManyWatches},
	{"reply-gone", client.ErrReplyGone},
	{"nothing-attested", client.ErrNothingAttested},
	{"not-stable", client.ErrNotStable},
	{"closed", client.ErrClosed},
	{command.CodeMissing, bank.NoAccount},
	{command.CodeMissing, bank.NoRecipient},
	{"application", statemachine.ErrPanicked},
	{"too-large", statemachine.ErrTooLarge},
	{"unwanted", statemachine.ErrUnwanted},
	{"timeout", context.DeadlineExceeded},
	{"interrupted", context.Canceled},
}

func codeOf(err error) string {
	switch {
	case errors.As(err, new(*txn.Aborted)):
		return "aborted"
	case errors.As(err, new(*txn.Unknown)):
		return "unknown-outcome"
	case errors.As(err, new(*commit.Locked)):
		return "locked"
	}
	for _, c := range errorCodes {
		if errors.Is(err, c.is) {
			return c.code
		}
	}
	return ""
}
