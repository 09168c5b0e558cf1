package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"

	"tagma/internal/command"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tagma",
		Short: "A replicated key-value store that stays correct while some of its replicas lie",
		Long: `tagma runs and uses a Byzantine fault tolerant replicated key-value store (PBFT).

A cluster of 3f+1 replicas stays correct and available while up to f of them crash, lie or are stolen.

Exit codes: 0 done, 1 the operation failed, 2 unusable arguments or configuration.`,
		Example: `  tagma init --dir demo
  tagma node --home demo/replica0        # and replica1, replica2, replica3
  tagma put greeting hello --cluster demo/cluster.toml`,
		Version: version(),
	}
	root.SetVersionTemplate("tagma {{.Version}}\n")
	command.Prepare(root)
	root.AddCommand(
		newInit(), newNode(),
		newPut(), newGet(), newDelete(), newTxn(), newBank(),
		newStatus(), newKeys(), newJournal(), newEvidence(), newBench(),
	)
	return root
}

// version is the module's, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	if commit == "" {
		return info.Main.Version
	}
	return info.Main.Version + " (commit " + commit[:min(12, len(commit))] + changed + ")"
}
