package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/demo"
	"tagma/testnet/report"
)

// demoFlags are the flags of the demonstration.
type demoFlags struct {
	json, keep bool
	dir        string
	seed       uint64
}

func newDemo() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Four real processes, a lying primary, a crash of everything, and a verdict",
		Long: `Start four replicas as processes of this machine, one of them malicious, and write to them through the client library.
The malicious one is the first primary and begins to tell every replica something else; later all replicas are killed
at once and started again on the same disks. In the end every acknowledged write is read back, the journals of the
correct replicas are compared, and there is a verdict. It takes less than half a minute.

Everything that is told was measured in this run. The exit code is 0 if the verdict is pass, else 1.`,
		Example: `  tagma-testnet demo
  tagma-testnet demo --json --keep --dir /tmp/demo > report.json`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				f.seed = rand.Uint64N(1 << 32)
			}
			return runDemo(cmd.Context(), f, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "print the report as one JSON document, and progress to standard error")
	cmd.Flags().BoolVar(&f.keep, "keep", false, "leave journals, stores, logs and evidence on the disk")
	cmd.Flags().StringVar(&f.dir, "dir", "", "`directory` for the cluster's files (default a temporary one)")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "what the values that clients write are made from (default a random one)")
	return cmd
}

func runDemo(ctx context.Context, f demoFlags, stdout, stderr io.Writer) error {
	dir, remove, err := workDir("demo", f.dir)
	if err != nil {
		return err
	}
	shown := stdout
	if f.json {
		shown = stderr
	}
	show, end := showOn(shown, fmt.Sprintf("demo, seed %d", f.seed))
	document, err := demo.Run(ctx, demo.Defaults(dir, f.seed), show)
	end()
	if err != nil {
		if !f.keep {
			_ = remove() // what went wrong before is what is reported
		}
		return fmt.Errorf("demo: %w", err)
	}
	if err := printReport(document, f.json, stdout); err != nil {
		return err
	}
	failed := document.Verdict != report.Pass
	switch {
	case f.keep || failed:
		_, _ = fmt.Fprintf(shown, "\njournals, stores, logs and evidence are in %s\n", dir)
	default:
		if err := remove(); err != nil {
			return fmt.Errorf("demo: remove %s: %w", dir, err)
		}
	}
	if failed {
		return command.ErrTold
	}
	return nil
}

func printReport(document *report.Document, asJSON bool, stdout io.Writer) error {
	if !asJSON {
		return document.Print(stdout, styleFor(stdout))
	}
	return command.PrintJSON(stdout, document)
}

// workDir makes the directory for a command to work in, and returns what removes it: only what was not there before.
func workDir(verb, dir string) (path string, remove func() error, err error) {
	if dir == "" {
		dir, err = os.MkdirTemp("", "tagma-"+verb+"-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(dir)
	switch {
	case os.IsNotExist(err):
		return dir, func() error { return os.RemoveAll(dir) }, nil
	case err != nil:
		return "", nil, command.Unusablef("%s: %w", verb, err)
	case len(entries) > 0:
		return "", nil, command.Unusablef("%s: %s is not empty; name another directory or empty it", verb, dir)
	}
	return dir, func() error { return emptyDir(dir) }, nil
}

func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
