package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/operate"
	"tagma/internal/reach"
	"tagma/internal/terminal"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// defaultTimeout is how long client commands try.
const defaultTimeout = 10 * time.Second

// target is the cluster to which a client command sends operations, and the options with which it does so.
type target struct {
	operate.Target
	semantics semantics
	machine   string // the machine to which the command's operations belong; "": to any
	receipt   string // file of the receipt; "": none is wanted
}

func (t *target) flags(cmd *cobra.Command, timeout time.Duration) {
	t.machine, t.Program = machines.KV, program
	t.Flags(cmd, timeout)
}

// verbsOf are the commands for each machine.
var verbsOf = map[string]string{
	machines.KV:   "tagma put, get, delete, txn, revert and watch",
	machines.Bank: "tagma bank",
}

// perform has one operation executed and prints its result. The argument what names the operation in errors. The
// function tell returns the result as a document, and as text with a newline at the end.
func perform[T any](cmd *cobra.Command, t *target, what string, op []byte, decode func([]byte) (T, error),
	tell func(result T, seq uint64) (document any, words string), opts ...client.CallOption,
) error {
	return t.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
		if done, err := t.sentOnly(ctx, cmd, c, op); done {
			return err
		}
		var decoded T
		result, err := t.perform(ctx, c, op, opts...)
		if err == nil {
			decoded, err = decode(result.Output())
		}
		if err != nil {
			if code := bank.Code(0); errors.As(err, &code) && (code == bank.BadName || code == bank.SameAccount || code == bank.ZeroAmount) {
				err = command.NotUsable(err) // the arguments alone cause this error
			}
			return fmt.Errorf("%s: %w", what, err)
		}
		document, words := tell(decoded, result.Seq)
		return t.print(cmd, named(document, result.Request), words)
	})
}

// print prints the document if JSON is asked for, and the text otherwise.
func (t *target) print(cmd *cobra.Command, document any, words string) error {
	return command.Print(cmd, t.JSON, document, func(w io.Writer) error { return terminal.Say(w, "%s", words) })
}

// do opens a session with the cluster and calls work with it, within the timeout.
func (t *target) do(ctx context.Context, work func(context.Context, *client.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	return t.dial(ctx, ctx, work)
}

// stay is do for work that goes on beyond the timeout, which is only for the connections.
func (t *target) stay(ctx context.Context, work func(context.Context, *client.Client) error) error {
	dial, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	return t.dial(dial, ctx, work)
}

func (t *target) dial(dial, ctx context.Context, work func(context.Context, *client.Client) error) error {
	file, key, err := t.Read()
	if err != nil {
		return err
	}
	if t.machine != "" && file.Machine != t.machine {
		verbs := cmp.Or(verbsOf[file.Machine], "the program that comes with it")
		return command.Unusablef("the cluster runs the machine %s, and this command is for %s; use %s", file.Machine, t.machine, verbs)
	}
	c, err := reach.Dial(dial, file, key, client.WithSemantics(t.semantics.Semantics))
	switch {
	case err != nil && dial.Err() != nil:
		return fmt.Errorf("%w; `tagma status` shows which replicas answer", err)
	case err != nil:
		return command.NotUsable(err) // the command did not wait for anything: its files contradict each other
	}
	err = work(ctx, c)
	if errors.Is(err, client.ErrTooLarge) || errors.Is(err, kv.ErrNoHistory) || errors.As(err, new(kv.Code)) {
		err = command.NotUsable(err)
	}
	if closing := c.Close(); err == nil && closing != nil {
		err = fmt.Errorf("end the session: %w", closing)
	}
	return err
}

// anyMachine is do for operations that more than one machine has.
func (t *target) anyMachine(ctx context.Context, work func(context.Context, *client.Client) error) error {
	t.machine = ""
	return t.do(ctx, work)
}

// semantics returns the value of --semantics.
type semantics struct{ client.Semantics }

// Set implements pflag.Value.
func (s *semantics) Set(name string) (err error) {
	s.Semantics, err = client.ParseSemantics(name)
	return err
}

// Type implements pflag.Value.
func (s *semantics) Type() string { return "name" }

// readSemantics returns the value of --semantics of a command that reads.
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

// semanticsFlag adds the flag that chooses the semantics of a command that changes something.
func (t *target) semanticsFlag(cmd *cobra.Command) {
	cmd.Flags().Var(&t.semantics, "semantics", "how often it may be executed when messages are lost: "+
		strings.Join(client.SemanticsNames(), ", ")+" (which waits for no result)")
	command.Complete(cmd, "semantics", command.Words(client.SemanticsNames()...))
}

// receiptFlag adds the flag that asks for a receipt.
func (t *target) receiptFlag(cmd *cobra.Command) { receiptFlag(cmd, &t.receipt) }

// readSemanticsFlag is semanticsFlag for a command that reads, which has to wait for its result.
func (t *target) readSemanticsFlag(cmd *cobra.Command) {
	cmd.Flags().Var(readSemantics{&t.semantics}, "semantics", "how often it may be executed when messages are lost: "+
		"exactly-once, at-most-once, at-least-once")
	names := slices.DeleteFunc(slices.Clone(client.SemanticsNames()), func(name string) bool { return name == client.BestEffort.String() })
	command.Complete(cmd, "semantics", command.Words(names...))
}

// sentOnly sends an operation without waiting for its result, if the flags ask for that, and prints that it did.
func (t *target) sentOnly(ctx context.Context, cmd *cobra.Command, c *client.Client, op []byte) (bool, error) {
	if t.semantics.Semantics != client.BestEffort {
		return false, nil
	}
	if _, err := c.Do(ctx, op); err != nil {
		return true, err
	}
	return true, t.print(cmd, map[string]bool{"sent": true}, "sent\n")
}
