package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/kvtext"
	"tagma/internal/terminal"
	"tagma/statemachine/kv"
)

// watchOptions are the flags of watch.
type watchOptions struct {
	to     target
	given  bool // whether from is given
	from   uint64
	events uint // to print before it ends; 0: no end
	notice bool
}

func newWatch() *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:   "watch PREFIX",
		Short: "Print every change of the keys with a prefix, as they are made",
		Long: `Print every change of the keys that begin with PREFIX, once and in order, until Ctrl-C: REVISION<TAB>put<TAB>KEY<TAB>VALUE, or
REVISION<TAB>delete<TAB>KEY. An empty PREFIX stands for all keys. Nothing is printed before f+1 replicas have said the same,
omissions included, so no f replicas can invent, alter or leave out a change. Replicas that fail, and lost connections, leave
no gap.

Without --from, changes are printed that were made after the command was started; with it, those after that revision, as far as
the cluster's history reaches back. To go on later, use the last revision that was printed: all changes of a revision are
printed together. If the history was compacted, the error names the oldest revision that can be used.`,
		Example: `  tagma watch user/
  tagma watch "" --from 1 --json`,
		Args: command.Takes("PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.given = cmd.Flags().Changed("from")
			err := o.to.stay(cmd.Context(), func(ctx context.Context, c *client.Client) error { return o.run(ctx, cmd, c, args[0]) })
			if errors.Is(err, context.Canceled) && cmd.Context().Err() != nil {
				return nil // that is how it ends
			}
			return err
		},
	}
	o.to.flags(cmd, defaultTimeout)
	cmd.Flags().Uint64Var(&o.from, "from", 0, "begin after this `revision`; without it, with what is changed from now on")
	cmd.Flags().UintVar(&o.events, "count", 0, "end after this many `changes`, with the revision that has the last of them; 0 for no end")
	cmd.Flags().BoolVar(&o.notice, "progress", false, "print also up to which revision nothing was changed")
	return cmd
}

func (o *watchOptions) run(ctx context.Context, cmd *cobra.Command, c *client.Client, prefix string) error {
	store := kv.NewClient(c)
	if !o.given {
		begin, cancel := context.WithTimeout(ctx, o.to.Timeout)
		defer cancel()
		var err error
		if o.from, err = store.Revision(begin); err != nil {
			return err
		}
	}
	printed := uint(0)
	for update, err := range store.Watch(ctx, prefix, o.from) {
		if err != nil {
			return err
		}
		if err := o.print(cmd, &update); err != nil {
			return err
		}
		if printed += uint(len(update.Events)); o.events > 0 && printed >= o.events {
			return nil
		}
	}
	return nil
}

func (o *watchOptions) print(cmd *cobra.Command, u *kv.Update) error {
	if len(u.Events) == 0 && o.notice {
		document := map[string]any{"rev": u.Revision, "type": "progress"}
		return command.PrintLine(cmd, o.to.JSON, document, func(w io.Writer) error { return terminal.Say(w, "%d\tprogress\n", u.Revision) })
	}
	for i := range u.Events {
		e := &u.Events[i]
		err := command.PrintLine(cmd, o.to.JSON, kvtext.EventOf(e), func(w io.Writer) error {
			words := fmt.Sprintf("%d\t%v\t%s", e.Revision, e.Type, e.Pair.Key)
			if e.Type == kv.EventPut {
				words += "\t" + string(e.Pair.Value)
			}
			return terminal.Say(w, "%s\n", words)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
