package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/comeback"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

// comebackFlags are the flags of the measurement of recovery.
type comebackFlags struct {
	job
	load    string
	options comeback.Options
}

// The words of --load.
const (
	loadOff  = "off"
	loadHalf = "half"
)

func newComeback() *cobra.Command {
	f := comebackFlags{options: comeback.Defaults()}
	o := &f.options
	cmd := &cobra.Command{
		Use:   "comeback",
		Short: "Measure how replicas come back from lost and old disks and from far behind",
		Long: `Start clusters of four replicas as processes of this machine, fill them, take disks away, put old ones back, kill whoever
fetches or gives the state, and measure how the replica comes back: how long it takes, how many bytes it receives, and
what clients of the others keep of their throughput meanwhile. Each case has a cluster of its own and one line of result:

` + describeCases() + `
At the end of every case all acknowledged writes are read back, all replicas must report one state digest, and their
stores, read from the disk, must have one root. A case fails if that was not so, if something did not happen within
--within, or if a bound was missed. What did not happen in time, or missed a bound on time or throughput, while the
machine starved the processes, is inconclusive: run it again when it is quieter. The exit code is 0 if every case passes.

Replicas and clients share this machine. Give --keys 1000000 for figures that say something about large states.`,
		Example: `  tagma-testnet comeback
  tagma-testnet comeback --keys 1000000 --json > comeback.json
  tagma-testnet comeback --only killed,old --load off --keep`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runComeback(cmd, f)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "`cases` to run, with commas between them (default all)")
	cmd.Flags().IntVar(&o.Keys, "keys", o.Keys, "keys in the state")
	cmd.Flags().IntVar(&o.ValueBytes, "value-bytes", o.ValueBytes, "bytes of each value")
	cmd.Flags().StringVar(&f.load, "load", loadHalf, "what clients write meanwhile: half of the saturation, or off")
	cmd.Flags().DurationVar(&o.Measure, "measure", o.Measure, "how long saturation, baseline and throughput meanwhile are measured")
	cmd.Flags().Int64Var(&o.LinkBytes, "link-bytes", 0, `bytes a second that each link to the receiver carries where a transfer is
interrupted (default chosen by the size of the state)`)
	cmd.Flags().DurationVar(&o.ViewTimeout, "view-timeout", o.ViewTimeout, "the clusters' view timeout")
	cmd.Flags().DurationVar(&o.Within, "within", o.Within, "what each step of a case may take")
	command.Complete(cmd, "load", command.Words(loadHalf, loadOff))
	command.Complete(cmd, "only", command.List(slices.Sorted(maps.Keys(maps.Collect(comeback.Cases())))...))
	return cmd
}

func describeCases() string {
	var text strings.Builder
	for name, about := range comeback.Cases() {
		fmt.Fprintf(&text, "  %-10s %s\n", name, about)
	}
	return text.String()
}

func runComeback(cmd *cobra.Command, f comebackFlags) error {
	o := f.options
	if f.load != loadOff && f.load != loadHalf {
		return command.Unusablef("comeback: --load %q; write %s or %s", f.load, loadHalf, loadOff)
	}
	o.Load, o.Keep = f.load == loadHalf, f.keep
	if err := o.Check(); err != nil {
		return command.Unusablef("comeback: %w", err)
	}
	run := func(dir string, show play.Show) (*comeback.Document, error) {
		o.Dir = dir
		return comeback.Run(cmd.Context(), o, show)
	}
	return measure(cmd, &f.job, f.verb, run, func(d *comeback.Document) bool { return d.Verdict == report.Pass }, comeback.Print)
}
