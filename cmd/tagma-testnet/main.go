// Command tagma-testnet shows what Tagma withstands. It makes replicas malicious, crashes them and disconnects them, in real
// processes on this machine and in a simulator, and judges the results. It owns flags, output and exit codes; the work is
// done in the packages below testnet. It starts itself again for each replica. The production binary contains nothing of it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/trace"
	"tagma/testnet/local"
)

func main() {
	local.RunIfReplica()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once, and all its replicas
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return command.Execute(ctx, newRoot(), args, stdout, stderr, nil)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tagma-testnet",
		Short: "Local clusters, malicious replicas, a simulator, and a verdict",
		Long: `tagma-testnet makes replicas of Tagma malicious, crashes them and cuts them off, on real processes of this machine or in
a simulator, and judges what comes of it.

Exit codes: 0 done and everything expected held, 1 something did not, 2 unusable arguments.`,
		Example: `  tagma-testnet demo                                            half a minute, with a verdict
  tagma-testnet run scenarios/equivocate.toml                   one scenario, on processes
  tagma-testnet run scenarios/equivocate.toml --engine sim      the same in virtual time
  tagma-testnet sim --seeds 100                                 random runs
  tagma-testnet start --dir net --malicious 3=equivocate        a cluster to play with`,
	}
	command.Prepare(root)
	formats := node.Formats()
	formats["trace"] = trace.Version
	command.AddVersion(root, formats)
	root.AddCommand(newDemo(), newConcepts(), newConsensus(), newStart(), newRun(), newSim(), newFlood(), newComeback(), newExplore(), newBehaviours(), newReplay())
	return root
}
