package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	Done     = 0
	Failed   = 1 // an operation or an expectation failed
	Unusable = 2 // arguments or configuration
	Missing  = 3 // what was asked for does not exist
)

// Codes of errors in the output of --json; a program adds its own.
const (
	CodeFailed   = "failed"
	CodeUnusable = "unusable"
	CodeMissing  = "not-found"
)

// ErrTold is returned for a failure that the command has already printed, so that Execute prints no error line.
var ErrTold = errors.New("it failed, as was told")

// unusable marks an error as caused by the arguments or the configuration.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

// NotUsable marks an error as caused by the arguments or the configuration, so that the exit code is Unusable.
func NotUsable(err error) error { return unusable{err} }

// Unusablef is fmt.Errorf for errors caused by the arguments or the configuration.
func Unusablef(format string, args ...any) error { return unusable{fmt.Errorf(format, args...)} }

// IsUnusable reports whether an error was marked as caused by the arguments or the configuration.
func IsUnusable(err error) bool { return errors.As(err, new(unusable)) }

// missing marks an error that says that something does not exist.
type missing struct{ error }

func (m missing) Unwrap() error { return m.error }

// Missingf is fmt.Errorf for errors that say that something does not exist; the exit code is Missing.
func Missingf(format string, args ...any) error { return missing{fmt.Errorf(format, args...)} }

// failure is what --json prints for an error.
type failure struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// Execute runs one command line of a root command that Prepare has prepared, and returns the exit code. An error is
// printed as one line on stderr, after the program's name. With --json it is also printed as a document on stdout,
// unless the command has already printed one. The function code returns a code for an error that is neither caused by
// the arguments nor made by Missingf. If code is nil or returns "", the code is [CodeFailed].
func Execute(ctx context.Context, root *cobra.Command, args []string, stdout, stderr io.Writer, code func(error) string) int {
	complete(root)
	root.SetArgs(args)
	root.SetOut(stdout)
	var document *noting
	if asksJSON(args) { // otherwise stdout is not replaced, because commands check whether it is a terminal
		document = &noting{Writer: stdout}
		root.SetOut(document)
	}
	root.SetErr(stderr)
	err := unknownCommand(root, root.ExecuteContext(ctx))
	switch {
	case err == nil:
		return Done
	case errors.Is(err, ErrTold):
		return Failed
	}
	f, exit := failure{}, Failed
	f.Error.Message, f.Error.Code = message(err), CodeFailed
	switch {
	case IsUnusable(err):
		f.Error.Code, exit = CodeUnusable, Unusable
	case errors.As(err, new(missing)):
		f.Error.Code, exit = CodeMissing, Missing
	case code != nil:
		if f.Error.Code = cmp.Or(code(err), CodeFailed); f.Error.Code == CodeMissing {
			exit = Missing
		}
	}
	// If standard error is gone or nobody reads it, the exit code still says that the command failed.
	_ = Tell(stderr, root.Name()+": "+f.Error.Message+"\n")
	if document != nil && !document.written {
		_ = PrintJSON(stdout, f) // as for standard error
	}
	return exit
}

// tellPatience is how long Tell waits for a reader that does not read its pipe.
const tellPatience = 2 * time.Second

// Tell writes a text, and gives up if nobody reads it. So a full pipe can neither stop a replica from working nor a
// failed process from ending.
func Tell(w io.Writer, text string) error {
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(w, text)
		written <- err
	}()
	select {
	case err := <-written:
		return err
	case <-time.After(tellPatience):
		return fmt.Errorf("nobody read the output for %v", tellPatience)
	}
}

// noting is an output that remembers whether anything was written to it.
type noting struct {
	io.Writer
	written bool
}

func (n *noting) Write(p []byte) (int, error) {
	n.written = true
	return n.Writer.Write(p)
}

// asksJSON reports whether a command line contains --json, even if the command line turns out to be invalid.
func asksJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	return false
}

// Prepare sets up a root command so that its errors and help have the form that this package defines. If no command
// is given, the root's own RunE runs.
func Prepare(root *cobra.Command) {
	root.SilenceErrors = true // Execute prints errors
	root.SilenceUsage = true
	root.DisableSuggestions = true // noCommand makes suggestions
	root.RunE = func(*cobra.Command, []string) error {
		return Unusablef("no command given; `%s help` lists the commands", root.Name())
	}
	root.SetFlagErrorFunc(badFlag)
	root.PersistentPreRunE = notEmpty
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(newHelp(root))
}

// OneLine joins the lines of an error into one.
func OneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "; ")
}

// Print prints a command's result: as a document if JSON is asked for, else in words.
func Print(cmd *cobra.Command, asJSON bool, document any, words func(io.Writer) error) error {
	if asJSON {
		return PrintJSON(cmd.OutOrStdout(), document)
	}
	return words(cmd.OutOrStdout())
}

// PrintLine is Print for one of many documents: each is one line.
func PrintLine(cmd *cobra.Command, asJSON bool, document any, words func(io.Writer) error) error {
	if !asJSON {
		return words(cmd.OutOrStdout())
	}
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetEscapeHTML(false)
	return e.Encode(document)
}

// PrintJSON writes one document, indented so that people can read it too.
func PrintJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}
