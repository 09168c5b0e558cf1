package operate

import (
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/node"
)

// Program is what these commands must know about the program to which they belong.
type Program struct {
	Name     string       // its name on the command line
	Machines machines.Set // the machines that its replicas can run; a new cluster has the first one unless another is named
	First    string       // lines that init prints, indented by two spaces: commands that a user may try with a new cluster
}

// Root returns a root command with these commands and no others.
func (p *Program) Root() *cobra.Command {
	root := &cobra.Command{
		Use:   p.Name,
		Short: "A replicated service that stays correct while some of its replicas lie",
		Long: p.text(`tagma makes and runs the replicas of a Byzantine fault tolerant service (PBFT).

A cluster of 3f+1 replicas stays correct and available while up to f of them crash, lie or are stolen.

Exit codes: 0 done, 1 the operation failed, 2 unusable arguments or configuration.`),
		Example: p.text(`  tagma init --dir demo
  tagma node --home demo/replica0        # and replica1, replica2, replica3
  tagma status --cluster demo/cluster.toml`),
	}
	command.Prepare(root)
	command.AddVersion(root, node.Formats())
	root.AddCommand(p.Init(), p.Node(), p.Status(), p.Why(), p.Upgrade(), p.Keys())
	return root
}

// text replaces tagma by the program's name in a text.
func (p *Program) text(about string) string { return strings.ReplaceAll(about, "tagma ", p.Name+" ") }
