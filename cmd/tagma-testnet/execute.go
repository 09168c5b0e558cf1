package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tagma/internal/nearest"
)

// Exit codes.
const (
	exitDone     = 0
	exitFailed   = 1 // an operation or an expectation failed
	exitUnusable = 2 // arguments or configuration
)

// unusable marks an error as one of the arguments.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

func unusablef(format string, args ...any) error { return unusable{fmt.Errorf(format, args...)} }

// errVerdict is a failed verdict, which was told already.
var errVerdict = errors.New("the verdict is fail")

// execute runs one command line and returns the exit code. An error is one line on stderr.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errVerdict):
		return exitFailed
	}
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	// Standard error is the last resort: if it is gone, the exit code still tells.
	_, _ = fmt.Fprintln(stderr, "tagma-testnet: "+strings.Join(lines, "; "))
	if errors.As(err, new(unusable)) {
		return exitUnusable
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tagma-testnet",
		Short: "Local clusters, malicious replicas, and a verdict",
		Long: `tagma-testnet runs Tagma clusters of real processes on this machine and makes replicas malicious.

Exit codes: 0 done and everything expected held, 1 something did not, 2 unusable arguments.`,
		Example: `  tagma-testnet demo
  tagma-testnet start --dir net --malicious 3=equivocate`,
		SilenceErrors:      true, // execute prints them
		SilenceUsage:       true,
		DisableSuggestions: true, // noCommand makes them
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return unusablef("no command given; `tagma-testnet help` lists the commands")
		},
	}
	root.SetFlagErrorFunc(badFlag)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newDemo(), newStart(), newRun(), newSim(), newFlood(), newExplore(), newBehaviours())
	return root
}

// noArguments makes a command insist on flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unusablef("%s takes no arguments, but %q was given; see `tagma-testnet help %s`", cmd.Name(), args[0], cmd.Name())
	}
	return nil
}

// noCommand is the error of a name that is no command, with what was probably meant.
func noCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return unusablef("there is no command %q;%s `tagma-testnet help` lists the commands", name, meant(name, names, ""))
}

// badFlag adds to a flag's error what was probably meant.
func badFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return unusablef("%s: %w", cmd.Name(), err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return unusablef("%s: %w;%s see `tagma-testnet help %s`", cmd.Name(), err,
		meant(unknown.GetSpecifiedName(), names, "--"), cmd.Name())
}

// meant asks after the name that a typo most likely made given of; it is empty when none resembles it.
func meant(given string, names []string, prefix string) string {
	if near := nearest.To(given, names); near != "" {
		return " did you mean " + prefix + near + "?"
	}
	return ""
}
