package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/operate"
	"tagma/internal/reach"
	"tagma/statemachine/kv"
)

// target is the cluster that a client command talks to, with what the command wants of it.
type target struct {
	operate.Target
	semantics semantics
	machine   string // whose operations the command sends
}

func (t *target) flags(cmd *cobra.Command, timeout time.Duration) {
	t.machine, t.Program = machines.KV, program
	t.Flags(cmd, timeout)
}

// verbsOf are the commands for each machine.
var verbsOf = map[string]string{
	machines.KV:   "tagma put, get, delete, txn and revert",
	machines.Bank: "tagma bank",
}

// do runs one piece of work in a session with the cluster, within the timeout.
func (t *target) do(ctx context.Context, work func(context.Context, *client.Client) error) error {
	file, key, err := t.Read()
	if err != nil {
		return err
	}
	if file.Machine != t.machine {
		verbs := cmp.Or(verbsOf[file.Machine], "the program that comes with it")
		return command.Unusablef("the cluster runs the machine %s, and this command is for %s; use %s", file.Machine, t.machine, verbs)
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	c, err := reach.Dial(ctx, file, key, client.WithSemantics(t.semantics.Semantics))
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%w; `tagma status` shows which replicas answer", err)
	case err != nil:
		return command.NotUsable(err) // nothing was waited for: files that contradict themselves
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
