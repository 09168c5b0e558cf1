package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/cluster"
	"tagma/internal/command"
	"tagma/internal/node"
)

const (
	statusTimeout = 3 * time.Second
	watchInterval = time.Second
)

func newStatus() *cobra.Command {
	var (
		to    target
		watch bool
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Ask every replica how it is",
		Long: `Ask every replica how it is and print a table. Each line is what that replica says of itself; nobody else vouches for it.

The exit code is 0 when a quorum of replicas answers, a quorum of them is active in the same view, and all that are at
the same checkpoint name the same state; otherwise it is 1, and a line says which of these does not hold. A cluster with
f replicas down is in order by this measure.

  EXECUTED   the last batch executed; a batch holds one or more requests
  STABLE     the last checkpoint that a quorum has signed
  IN FLIGHT  batches under way
  PEERS      other replicas connected
  STATE      the state's digest at the stable checkpoint
  HEALTH     ok, what is wrong, or how the replica comes back: what it fetches, and from when on it votes`,
		Example: `  tagma status --cluster demo/cluster.toml
  tagma status --watch
  tagma status --json | jq '.replicas[] | {replica, view, executed}'`,
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch {
				return watchStatus(cmd.Context(), &to, cmd.OutOrStdout())
			}
			s, err := askStatus(cmd.Context(), &to)
			if err != nil {
				return err
			}
			if err := s.print(cmd.OutOrStdout(), to.json); err != nil {
				return err
			}
			if s.Problem != "" {
				return errors.New("status: " + s.Problem)
			}
			return nil
		},
	}
	to.flags(cmd, statusTimeout)
	cmd.Flags().BoolVar(&watch, "watch", false, "ask again every second until Ctrl-C; with --json one document each time")
	return cmd
}

// clusterStatus is what the replicas say together.
type clusterStatus struct {
	Cluster  string          `json:"cluster"` // its id
	Quorum   int             `json:"quorum"`
	Answered int             `json:"answered"`
	Healthy  bool            `json:"healthy"`
	Problem  string          `json:"problem,omitempty"` // why it is not healthy
	Replicas []replicaStatus `json:"replicas"`
}

// replicaStatus is a replica's report, or why there is none.
type replicaStatus struct {
	Replica   int    `json:"replica"`
	Reachable bool   `json:"reachable"`
	Error     string `json:"error,omitempty"`
	*node.Report
}

func askStatus(ctx context.Context, to *target) (*clusterStatus, error) {
	file, key, err := to.read()
	if err != nil {
		return nil, err
	}
	cfg, err := file.Config(0)
	if err != nil {
		return nil, command.NotUsable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, to.timeout)
	defer cancel()
	answers, err := client.InquireCluster(ctx, file, key)
	if err != nil {
		return nil, err
	}
	return judgeStatus(file, cfg.Quorum(), answers), nil
}

func judgeStatus(file *cluster.File, quorum int, answers []client.Answer) *clusterStatus {
	s := &clusterStatus{Cluster: file.ID.String(), Quorum: quorum}
	for _, a := range answers {
		r := replicaStatus{Replica: a.Replica}
		switch {
		case a.Err != nil:
			r.Error = printable(command.OneLine(a.Err.Error()))
		default:
			report := new(node.Report)
			if err := json.Unmarshal(a.Document, report); err != nil {
				r.Error = fmt.Sprintf("replica %d: its report is unreadable: %s", a.Replica, printable(err.Error()))
				break
			}
			report.Health, report.StateDigest = printable(report.Health), printable(report.StateDigest)
			r.Reachable, r.Report = true, report
			s.Answered++
		}
		s.Replicas = append(s.Replicas, r)
	}
	s.Problem = s.problem()
	s.Healthy = s.Problem == ""
	return s
}

// watchStatus asks again and again. On a terminal the table stays in its place.
func watchStatus(ctx context.Context, to *target, w io.Writer) error {
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
		if isTerminal(w) && !to.json {
			if err := say(w, "\x1b[H\x1b[2J"); err != nil {
				return err
			}
		}
		if err := s.print(w, to.json); err != nil {
			return err
		}
		if s.Problem != "" && !to.json {
			if err := say(w, "%s\n", s.Problem); err != nil {
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
