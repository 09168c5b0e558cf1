package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/terminal"
)

// semantics is the value of --semantics.
type semantics struct{ client.Semantics }

// Set implements pflag.Value.
func (s *semantics) Set(name string) (err error) {
	s.Semantics, err = client.ParseSemantics(name)
	return err
}

// Type implements pflag.Value.
func (s *semantics) Type() string { return "name" }

// readSemantics is the value of --semantics of a command that reads.
type readSemantics struct{ *semantics }

// Set implements pflag.Value.
func (s readSemantics) Set(name string) error {
	if err := s.semantics.Set(name); err != nil {
		return err
	}
	if s.Semantics == client.BestEffort {
		return errors.New("a read waits for its result; choose exactly-once, at-most-once or at-least-once")
	}
	return nil
}

// semanticsFlag lets a command that changes something be executed more or less than exactly once.
func (t *target) semanticsFlag(cmd *cobra.Command) {
	cmd.Flags().Var(&t.semantics, "semantics", "how often it may be executed when messages are lost: "+
		strings.Join(client.SemanticsNames(), ", ")+" (which waits for no result)")
}

// readSemanticsFlag is semanticsFlag for a command that reads: it may be sent again or not, but must be waited for.
func (t *target) readSemanticsFlag(cmd *cobra.Command) {
	cmd.Flags().Var(readSemantics{&t.semantics}, "semantics", "how often it may be executed when messages are lost: "+
		"exactly-once, at-most-once, at-least-once")
}

// sentOnly sends an operation without waiting for its result, if that is what the flags ask for, and says so.
func (t *target) sentOnly(ctx context.Context, cmd *cobra.Command, c *client.Client, op []byte) (bool, error) {
	if t.semantics.Semantics != client.BestEffort {
		return false, nil
	}
	if _, err := c.Do(ctx, op); err != nil {
		return true, err
	}
	if t.JSON {
		return true, command.PrintJSON(cmd.OutOrStdout(), map[string]bool{"sent": true})
	}
	return true, terminal.Say(cmd.OutOrStdout(), "sent\n")
}
