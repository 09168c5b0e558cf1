package main

import (
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/testnet/demo"
	"tagma/testnet/page"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

func newDemo() *cobra.Command {
	var j job
	var seed uint64
	var port int
	var groups bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Four real processes, a lying primary, a crash of everything, and a verdict",
		Long: `Start four replicas as processes of this machine, one of them malicious, and write to them through the client library.
The malicious one is the first primary and begins to tell every replica something else; later all replicas are killed
at once and started again on the same disks. In the end every acknowledged write is read back, the journals of the
correct replicas are compared, and there is a verdict. It takes less than half a minute.

With --groups it is two clusters of four replicas, two banks with 200 transfers between them. Drivers of transfers die and
lie, the first primary of each bank is malicious, and all of one bank is killed at once. In the end every transfer has one
outcome, nothing is locked, and the sums say that no money was made or lost.

Everything that is told was measured in this run. The exit code is 0 if the verdict is pass, else 1.`,
		Example: `  tagma-testnet demo
  tagma-testnet demo --ui                      # on a page, which goes on until Ctrl-C
  tagma-testnet demo --groups
  tagma-testnet demo --json --keep --dir /tmp/demo > report.json`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				seed = rand.Uint64N(1 << 32)
			}
			if groups && port != page.None {
				return command.Unusablef("demo: --ui shows one cluster, and --groups is two; leave one of them out")
			}
			ui, err := page.Open(port)
			if err != nil {
				return command.Unusablef("demo: %w", err)
			}
			defer ui.Close()
			var came *report.Document
			run := func(dir string, show play.Show) (d *report.Document, err error) {
				o := demo.Defaults(dir, seed)
				if groups {
					o = demo.Groups(dir, seed)
				}
				o.Trace = ui.Run(j.shown(cmd), o.Scenario, play.Processes, o.Trace)
				came, err = demo.Run(cmd.Context(), o, ui.Around(show))
				return came, err
			}
			good := func(d *report.Document) bool { return d.Verdict == report.Pass }
			err = measure(cmd, &j, fmt.Sprintf("demo, seed %d", seed), run, good, func(w io.Writer, d *report.Document) error {
				return d.Print(w, terminal.StyleOf(w))
			})
			if came != nil {
				ui.Stay(cmd.Context(), j.shown(cmd), came)
			}
			return err
		},
	}
	j.flags(cmd)
	uiFlag(cmd, &port)
	cmd.Flags().BoolVar(&groups, "groups", false, "two clusters, and transfers between them")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "what the values that clients write are made from (default a random one)")
	return cmd
}
