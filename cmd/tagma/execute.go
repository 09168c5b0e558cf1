package main

import (
	"context"
	"errors"
	"io"

	"tagma/client"
	"tagma/internal/command"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return command.Execute(ctx, newRoot(), args, stdout, stderr, codeOf)
}

// errorCodes are the codes of errors in JSON, beside those of package command. The first that applies is told.
var errorCodes = []struct {
	code string
	is   error
}{
	{"busy", client.ErrBusy},
	{"unequal", client.ErrUnequal},
	{"unknown-outcome", client.ErrUnknown},
	{"not-sent", client.ErrNotSent},
	{"expired", client.ErrExpired},
	{"conflict", client.ErrConflict},
	{"refused", client.ErrRefused},
	{"not-retained", client.ErrNotRetained},
	{"not-executed", client.ErrNotExecuted},
	{"no-history", kv.ErrNoHistory},
	{"application", statemachine.ErrPanicked},
	{"too-large", statemachine.ErrTooLarge},
	{"unwanted", statemachine.ErrUnwanted},
	{"timeout", context.DeadlineExceeded},
	{"interrupted", context.Canceled},
}

func codeOf(err error) string {
	for _, c := range errorCodes {
		if errors.Is(err, c.is) {
			return c.code
		}
	}
	return ""
}
