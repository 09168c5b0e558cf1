package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	Done     = 0
	Failed   = 1 // an operation or an expectation failed
	Unusable = 2 // arguments or configuration
)

// ErrTold is a failure of which the output tells already: Execute adds no line.
var ErrTold = errors.New("it failed, as was told")

// unusable marks an error as one of the arguments or the configuration.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

// NotUsable marks an error as one of the arguments or the configuration, so that the exit code is Unusable.
func NotUsable(err error) error { return unusable{err} }

// Unusablef is fmt.Errorf for errors of the arguments or the configuration.
func Unusablef(format string, args ...any) error { return unusable{fmt.Errorf(format, args...)} }

// IsUnusable reports whether an error was marked as one of the arguments or the configuration.
func IsUnusable(err error) bool { return errors.As(err, new(unusable)) }

// Execute runs one command line of a root that Prepare has made ready, and returns the exit code. An error is one line on
// stderr, behind the program's name.
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := unknownCommand(root, root.ExecuteContext(ctx))
	switch {
	case err == nil:
		return Done
	case errors.Is(err, ErrTold):
		return Failed
	}
	// Standard error is the last resort: if it is gone, the exit code still tells.
	_, _ = fmt.Fprintln(stderr, root.Name()+": "+OneLine(err.Error()))
	if IsUnusable(err) {
		return Unusable
	}
	return Failed
}

// Prepare gives a root command errors and help in the manner of this package. Its own RunE is for no command at all.
func Prepare(root *cobra.Command) {
	root.SilenceErrors = true // Execute prints them
	root.SilenceUsage = true
	root.DisableSuggestions = true // noCommand makes them
	root.RunE = func(*cobra.Command, []string) error {
		return Unusablef("no command given; `%s help` lists the commands", root.Name())
	}
	root.SetFlagErrorFunc(badFlag)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(newHelp(root))
}

// OneLine joins the lines of an error that consists of several.
func OneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "; ")
}

// PrintJSON writes one document, for people too.
func PrintJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}
