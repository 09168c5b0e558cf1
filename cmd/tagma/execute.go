package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Exit codes.
const (
	exitDone     = 0
	exitFailed   = 1 // an operation or an expectation failed
	exitUnusable = 2 // arguments or configuration
)

// unusable marks an error as one of the arguments or the configuration.
type unusable struct{ error }

func (u unusable) Unwrap() error { return u.error }

func unusablef(format string, args ...any) error { return unusable{fmt.Errorf(format, args...)} }

// execute runs one command line and returns the exit code. An error is one line on stderr.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := unknownCommand(root, root.ExecuteContext(ctx))
	if err == nil {
		return exitDone
	}
	// Standard error is the last resort: if it is gone, the exit code still tells.
	_, _ = fmt.Fprintln(stderr, "tagma: "+oneLine(err.Error()))
	if errors.As(err, new(unusable)) {
		return exitUnusable
	}
	return exitFailed
}

// oneLine joins the lines of an error that consists of several.
func oneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "; ")
}
