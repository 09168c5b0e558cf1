package operate

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/client/status"
	"tagma/internal/command"
	"tagma/internal/reach"
	"tagma/internal/terminal"
	"tagma/statemachine"
)

// upgradeTimeout is how long upgrade tries.
const upgradeTimeout = 10 * time.Second

// Upgrade is the command that brings the state of an application to its next version.
func (p *Program) Upgrade() *cobra.Command {
	var (
		to     = Target{Program: p}
		anyway bool
	)
	cmd := &cobra.Command{
		Use:   "upgrade VERSION",
		Short: "Bring the state of an application to its next version",
		Long: `Have every replica bring the application's state to VERSION, at one place in the order of requests. There is no way back.
It is for an application whose state has versions (statemachine.Versioned), and for a client that the application lets upgrade.

A replica whose program does not know VERSION stops there, and goes on with a newer program. So every replica is asked first which
versions its program knows. If one would stop, or does not answer, nothing is sent; --anyway sends it all the same.`,
		Example: p.text(`  tagma status --cluster demo/cluster.toml     # which versions each replica knows
  tagma upgrade 2 --cluster demo/cluster.toml`),
		Args: command.Takes("VERSION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			version, err := strconv.Atoi(args[0])
			if err != nil || version < 2 {
				return command.Unusablef("upgrade: %s is no version to upgrade to; the second one is 2", command.Quote(args[0]))
			}
			return to.upgrade(cmd, version, anyway)
		},
	}
	to.Flags(cmd, upgradeTimeout)
	cmd.Flags().BoolVar(&anyway, "anyway", false, "send it although replicas would stop, or do not answer")
	return cmd
}

// upgrade asks the replicas, and sends the operation.
func (t *Target) upgrade(cmd *cobra.Command, version int, anyway bool) error {
	file, key, err := t.Read()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), t.Timeout)
	defer cancel()
	asking, stop := context.WithTimeout(ctx, min(statusTimeout, t.Timeout/2))
	s, err := reach.Inquire(asking, file, key)
	stop()
	if err != nil {
		return err
	}
	if err := mayUpgrade(s, version, anyway); err != nil {
		return fmt.Errorf("upgrade to version %d: %w", version, err)
	}
	c, err := reach.Dial(ctx, file, key)
	if err != nil {
		return fmt.Errorf("%w; `%s status` shows which replicas answer", err, t.Program.Name)
	}
	result, err := c.Do(ctx, statemachine.Upgrade(version))
	if err = cmp.Or(err, refusal(result)); err == nil {
		err = c.Close()
	} else {
		_ = c.Close() // the user needs the error that came before
	}
	if err != nil {
		return fmt.Errorf("upgrade to version %d: %w", version, err)
	}
	document := map[string]uint64{"version": uint64(version), "seq": result.Seq}
	return command.Print(cmd, t.JSON, document, func(w io.Writer) error {
		return terminal.Say(w, "the state is at version %d or a later one, as of sequence number %d\n", version, result.Seq)
	})
}

// refusal is the error of an upgrade whose request was executed without doing what was asked for.
func refusal(r client.Result) error {
	if len(r.Outputs) == 0 {
		return nil
	}
	return r.Err(0)
}

// mayUpgrade returns why the upgrade must not be sent, or nil.
func mayUpgrade(s *status.Status, version int, anyway bool) error {
	u := s.Upgrade(version)
	switch {
	case !u.Known && len(u.Stops) > 0: // not even if asked to: nobody could go on
		return fmt.Errorf("no replica that answers has a program that knows version %d; install a newer program on every replica first", version)
	case anyway:
		return nil
	case len(u.Stops) > 0:
		return fmt.Errorf("%s would stop: start a newer program there first, or send it with --anyway", replicas(u.Stops))
	case len(u.Unknown) > 0:
		return fmt.Errorf("%s did not say which versions its program knows: look at the status, or send it with --anyway", replicas(u.Unknown))
	}
	return nil
}

// versions returns a text that says which version the state has and which versions each replica's program knows. It is
// empty for an application without versions, and if the state and all programs are at the newest version.
func (s *Status) versions() string {
	var ranges []string        // in the order of the first replica that knows it
	know := map[string][]int{} // by range
	newest := map[string]int{} // by range
	highest, next := 1, s.Upgrade(0).State+1
	for i := range s.Replicas {
		r := &s.Replicas[i]
		if r.Report == nil || r.NewestVersion == 0 {
			continue
		}
		text := fmt.Sprintf("%d alone", r.NewestVersion)
		if r.OldestVersion < r.NewestVersion {
			text = fmt.Sprintf("%d to %d", r.OldestVersion, r.NewestVersion)
		}
		if know[text] == nil {
			ranges = append(ranges, text)
		}
		know[text], newest[text], highest = append(know[text], r.Replica), r.NewestVersion, max(highest, r.NewestVersion)
	}
	if highest == 1 || next == 1 || len(ranges) == 1 && highest < next { // the last: all are at the newest version
		return ""
	}
	parts := []string{fmt.Sprintf("the state is at %d", next-1)}
	for _, text := range ranges {
		verb := "know"
		if len(know[text]) == 1 {
			verb = "knows"
		}
		part := fmt.Sprintf("%s %s %s", replicas(know[text]), verb, text)
		if newest[text] < next && highest >= next {
			part += fmt.Sprintf(" and would stop at an upgrade to %d", next)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// replicas returns a text such as "replica 3" or "replicas 0, 1".
func replicas(ids []int) string {
	if len(ids) == 1 {
		return fmt.Sprintf("replica %d", ids[0])
	}
	return "replicas " + terminal.Numbers(slices.Sorted(slices.Values(ids)))
}
