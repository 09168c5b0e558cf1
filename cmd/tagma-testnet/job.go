package main

import (
	"io"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/page"
	"tagma/testnet/play"
	"tagma/testnet/play/screen"
	"tagma/testnet/workdir"
)

// job is a command that runs clusters in a directory of its own and prints a document about them.
type job struct {
	verb       string
	json, keep bool
	dir        string
}

// flags adds the flags that all jobs have.
func (j *job) flags(cmd *cobra.Command) {
	j.verb = cmd.Name()
	cmd.Flags().BoolVar(&j.json, "json", false, "print the result as JSON, and progress to standard error")
	cmd.Flags().BoolVar(&j.keep, "keep", false, "leave journals, stores, logs and evidence on the disk")
	cmd.Flags().StringVar(&j.dir, "dir", "", "`directory` for the clusters' files (default a temporary one)")
}

// shown is where progress is printed.
func (j *job) shown(cmd *cobra.Command) io.Writer {
	if j.json {
		return cmd.ErrOrStderr()
	}
	return cmd.OutOrStdout()
}

// within calls do with the job's directory.
func (j *job) within(shown io.Writer, do func(dir string) error) error {
	return workdir.Do(j.verb, j.dir, j.keep, shown, do)
}

// measure calls do with the job's directory and a page of this title, and prints the document that do returns.
func measure[D any](cmd *cobra.Command, j *job, title string, do func(dir string, show play.Show) (D, error), good func(D) bool,
	words func(io.Writer, D) error,
) error {
	shown := j.shown(cmd)
	return j.within(shown, func(dir string) error {
		show, end := screen.On(shown, title)
		document, err := do(dir, show)
		end()
		if err != nil {
			return err
		}
		return j.tell(cmd, document, good(document), func(w io.Writer) error { return words(w, document) })
	})
}

// tell prints a document, as text unless JSON is asked for. The error is command.ErrTold if the document says failure.
func (j *job) tell(cmd *cobra.Command, document any, good bool, words func(io.Writer) error) error {
	err := command.Print(cmd, j.json, document, words)
	if err == nil && !good {
		return command.ErrTold
	}
	return err
}

// uiFlag adds the flag that chooses the page; page.None means no page.
func uiFlag(cmd *cobra.Command, port *int) {
	cmd.Flags().IntVar(port, "ui", page.None, "show it on a page for a browser of this machine, at a free port or at `PORT`")
	cmd.Flags().Lookup("ui").NoOptDefVal = "0"
}
