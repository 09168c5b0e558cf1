package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/comeback"
	"tagma/testnet/report"
)

// comebackFlags are the flags of the measurement of recovery.
type comebackFlags struct {
	json    bool
	load    string
	dir     string
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
stores, read from the disk, must have one root. The exit code is 1 if a case failed: if that was not so, if something did
not happen within --within, or if a bound was missed. Bounds on time and throughput that were missed while other
programs took the machine's processor time are told as inconclusive and fail nothing.

Replicas and clients share this machine. Give --keys 1000000 for figures that say something about large states.`,
		Example: `  tagma-testnet comeback
  tagma-testnet comeback --keys 1000000 --json > comeback.json
  tagma-testnet comeback --only killed,old --load off --keep`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runComeback(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as one JSON document, and progress to standard error")
	cmd.Flags().BoolVar(&o.Keep, "keep", false, "leave journals, stores and logs on the disk")
	cmd.Flags().StringVar(&f.dir, "dir", "", "`directory` for the clusters' files (default a temporary one)")
	cmd.Flags().StringSliceVar(&o.Only, "only", nil, "`cases` to run, with commas between them (default all)")
	cmd.Flags().IntVar(&o.Keys, "keys", o.Keys, "keys in the state")
	cmd.Flags().IntVar(&o.ValueBytes, "value-bytes", o.ValueBytes, "bytes of each value")
	cmd.Flags().StringVar(&f.load, "load", loadHalf, "what clients write meanwhile: half of the saturation, or off")
	cmd.Flags().DurationVar(&o.Measure, "measure", o.Measure, "how long saturation, baseline and throughput meanwhile are measured")
	cmd.Flags().Int64Var(&o.LinkBytes, "link-bytes", 0, `bytes a second that each link to the receiver carries where a transfer is
interrupted (default chosen by the size of the state)`)
	cmd.Flags().DurationVar(&o.ViewTimeout, "view-timeout", o.ViewTimeout, "the clusters' view timeout")
	cmd.Flags().DurationVar(&o.Within, "within", o.Within, "what each step of a case may take")
	return cmd
}

func describeCases() string {
	var text strings.Builder
	for _, name := range comeback.Names() {
		fmt.Fprintf(&text, "  %-10s %s\n", name, comeback.About(name))
	}
	return text.String()
}

func runComeback(ctx context.Context, f comebackFlags, stdout, stderr io.Writer) error {
	o := f.options
	if f.load != loadOff && f.load != loadHalf {
		return command.Unusablef("comeback: --load %q; write %s or %s", f.load, loadHalf, loadOff)
	}
	o.Load = f.load == loadHalf
	if err := o.Check(); err != nil {
		return command.Unusablef("comeback: %w", err)
	}
	dir, remove, err := workDir("comeback", f.dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("comeback: %w", err)
	}
	o.Dir = dir
	shown := stdout
	if f.json {
		shown = stderr
	}
	show, end := showOn(shown, "comeback")
	document, err := comeback.Run(ctx, o, show)
	end()
	failed := err == nil && document.Verdict == report.Fail
	if !o.Keep && !failed {
		if gone := remove(); gone != nil {
			err = errors.Join(err, fmt.Errorf("remove %s: %w", dir, gone))
		}
	}
	if err != nil {
		return fmt.Errorf("comeback: %w", err)
	}
	if f.json {
		err = command.PrintJSON(stdout, document)
	} else {
		err = comeback.Print(stdout, document)
	}
	if err == nil && failed {
		return command.ErrTold
	}
	return err
}
