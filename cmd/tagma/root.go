package main

import (
	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/operate"
)

// program is what the shared commands need to know of this one. Tests run processes with other machines.
var program = &operate.Program{
	Name: "tagma", Machines: machines.Shipped, First: "  tagma put greeting hello\n  tagma get greeting\n",
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tagma",
		Short: "A replicated key-value store that stays correct while some of its replicas lie",
		Long: `tagma runs and uses a Byzantine fault tolerant replicated key-value store (PBFT).

A cluster of 3f+1 replicas stays correct and available while up to f of them crash, lie or are stolen.

Exit codes: 0 done, 1 the operation failed, 2 unusable arguments or configuration, 3 the key does not exist.`,
		Example: `  tagma init --dir demo
  tagma node --home demo/replica0        # and replica1, replica2, replica3
  tagma put greeting hello --cluster demo/cluster.toml`,
	}
	command.Prepare(root)
	command.AddVersion(root)
	root.AddCommand(
		program.Init(), program.Node(),
		newPut(), newGet(), newDelete(), newTxn(), newRevert(), newBank(),
		program.Status(), program.Keys(), newJournal(), newEvidence(), newBench(),
		newBackup(), newVerify(), newRestore(), newExport(), newImport(),
	)
	return root
}
