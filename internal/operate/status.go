package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"tagma/client/status"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/reach"
	"tagma/internal/terminal"
)

const (
	statusTimeout = 3 * time.Second
	watchInterval = time.Second
)

// Status returns the command that asks every replica for its report.
func (p *Program) Status() *cobra.Command {
	var (
		to    = Target{Program: p}
		watch bool
		all   bool
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask every replica how it is",
		Long: `Ask every replica how it is and print a table. Each line is what that replica says of itself; nobody else vouches for it.

The exit code is 0 when service goes on and would go on if one more replica failed. It is 1 at the edge of service, which
is where f replicas are down, behind, cut off from the others or proven to lie; when nothing gets done; and when replicas
disagree on the state after a checkpoint. A line then says why, and how many more may fail.

  EXECUTED   the last batch executed; a batch holds one or more requests
  STABLE     the last checkpoint that a quorum has signed
  IN FLIGHT  batches under way
  PEERS      other replicas connected
  STATE      the state's digest at the stable checkpoint
  HEALTH     ok, what is wrong, or how the replica comes back: what it fetches, and from when on it votes

If an application can be upgraded, or its programs differ, a line says at which version the state is, which ones each replica's program knows, and
which replicas would stop at an upgrade to the next one. Under the table of a cluster with durability = "optimistic" a line says what that means.`,
		Example: p.text(`  tagma status --cluster demo/cluster.toml
  tagma status --watch
  tagma status --json | jq '.replicas[] | {replica, view, executed}'`),
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all && !to.JSON {
				return command.Unusablef("--all is for --json: the table has no place for it; say --json --all")
			}
			if watch {
				return watchStatus(cmd.Context(), &to, cmd.OutOrStdout())
			}
			s, err := askStatus(cmd.Context(), &to)
			if err != nil {
				return err
			}
			if !all {
				s.shorten()
			}
			if err := s.print(cmd.OutOrStdout(), to.JSON); err != nil {
				return err
			}
			if s.Problem != "" {
				return errors.New("status: " + s.Problem)
			}
			return nil
		},
	}
	to.Flags(cmd, statusTimeout)
	cmd.Flags().BoolVar(&all, "all", false, "with --json, also what each replica waits for and how it sees the others: `tagma why` reads it")
	cmd.Flags().BoolVar(&watch, "watch", false, "ask again every second until Ctrl-C; with --json one document each time")
	return cmd
}

// Status is the judgement of the reports of all replicas, as status --json prints it.
type Status struct{ *status.Status }

func askStatus(ctx context.Context, to *Target) (*Status, error) {
	file, key, err := to.Read()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, to.Timeout)
	defer cancel()
	s, err := reach.Inquire(ctx, file, key)
	if err != nil {
		return nil, err
	}
	return printable(s), nil
}

// printable removes from a status everything with which a replica could manipulate a terminal.
func printable(s *status.Status) *Status {
	s.Problem = terminal.Printable(s.Problem)
	for i := range s.Replicas {
		r := &s.Replicas[i]
		r.Error = terminal.Printable(command.OneLine(r.Error))
		if r.Report != nil {
			r.Health, r.StateDigest = terminal.Printable(r.Health), terminal.Printable(r.StateDigest)
		}
	}
	return &Status{s}
}

// shorten removes the parts of the reports that only the command why needs.
func (s *Status) shorten() {
	for i := range s.Replicas {
		if r := s.Replicas[i].Report; r != nil {
			r.Peers, r.Waits, r.Refusals = nil, nil, nil
		}
	}
}

// watchStatus asks the replicas repeatedly. On a terminal, each table replaces the one before.
func watchStatus(ctx context.Context, to *Target, w io.Writer) error {
	next := time.NewTicker(watchInterval)
	defer next.Stop()
	for {
		s, err := askStatus(ctx, to)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if !to.JSON {
			if err := terminal.ClearScreen(w); err != nil {
				return err
			}
		}
		s.shorten()
		if err := s.print(w, to.JSON); err != nil {
			return err
		}
		if s.Problem != "" && !to.JSON {
			if err := terminal.Say(w, "%s\n", s.Problem); err != nil {
				return err
			}
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Status) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return command.PrintJSON(w, s)
	}
	colour := terminal.Colours(w)
	table := [][]string{{"REPLICA", "VIEW", "PRIMARY", "EXECUTED", "STABLE", "IN FLIGHT", "PEERS", "STATE", "HEALTH"}}
	for i := range s.Replicas {
		table = append(table, row(&s.Replicas[i], colour))
	}
	if err := terminal.Table(w, table); err != nil {
		return err
	}
	if versions := s.versions(); versions != "" {
		if err := terminal.Say(w, "version: %s\n", versions); err != nil {
			return err
		}
	}
	if held := s.held(); held != "" {
		if err := terminal.Say(w, "transactions: %s\n", held); err != nil {
			return err
		}
	}
	if s.Durable != cluster.Optimistic.String() {
		return nil
	}
	return terminal.Say(w, "durability: optimistic: votes leave before they are durable; unclean stops of more than %d at a time may halt the cluster\n",
		(len(s.Replicas)-1)/3)
}

// held says what transactions over several clusters hold, by the report of the replica that executed most.
func (s *Status) held() string {
	var newest *status.Replica
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Report != nil && (newest == nil || r.Executed > newest.Executed) {
			newest = r
		}
	}
	if newest == nil || newest.Held == nil {
		return ""
	}
	h := newest.Held
	return fmt.Sprintf("%d over several clusters hold %s, the oldest for %.0f s; `tagma commit pending` lists them",
		h.Transactions, terminal.Count(int(h.Locks), "key"), h.OldestSeconds)
}

// row is a replica's row of the table. Only its last cell may have a colour: the other cells are padded according to
// their length, which includes the codes of a colour.
func row(r *status.Replica, colour bool) []string {
	if !r.Reachable {
		return []string{fmt.Sprint(r.Replica), "-", "-", "-", "-", "-", "-", "-", terminal.Coloured(colour, terminal.Red, "unreachable: "+r.Unreachable())}
	}
	state := "-" // no checkpoint yet
	if r.StableCheckpoint > 0 {
		state = r.StateDigest[:min(len(r.StateDigest), 12)]
	}
	view := fmt.Sprint(r.View)
	switch {
	case r.Recovery != nil && r.Recovery.Phase == status.PhaseForgotten:
		view = "-"
	case !r.Active:
		view += " (changing)"
	}
	health := terminal.Coloured(colour, terminal.Green, r.Health)
	switch back := terminal.Printable(recoveryText(r.Report)); {
	case back != "" && r.Health == status.Healthy:
		health += terminal.Coloured(colour, terminal.Yellow, "; "+back)
	case back != "":
		health = terminal.Coloured(colour, terminal.Yellow, back)
	case r.Health != status.Healthy:
		health = terminal.Coloured(colour, terminal.Yellow, r.Health)
	}
	for _, id := range r.Twice {
		health += terminal.Coloured(colour, terminal.Red, fmt.Sprintf("; two processes run under the same key, that of replica %d: stop one", id))
	}
	for _, c := range r.Convicted {
		health += terminal.Coloured(colour, terminal.Red, fmt.Sprintf("; has proof against replica %d: %s", c.Replica, terminal.Printable(c.Kind)))
	}
	return []string{
		fmt.Sprint(r.Replica), view, fmt.Sprint(r.Primary), fmt.Sprint(r.Executed), fmt.Sprint(r.StableCheckpoint),
		fmt.Sprint(r.InFlight), fmt.Sprint(len(r.Connected)), state, health,
	}
}
