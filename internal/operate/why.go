package operate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tagma/client/status"
	"tagma/internal/command"
	"tagma/internal/terminal"
)

// Why returns the command that says what keeps a cluster from committing.
func (p *Program) Why() *cobra.Command {
	var (
		to   = Target{Program: p}
		from string
	)
	cmd := &cobra.Command{
		Use:   "why",
		Short: "Say why nothing commits, or why a replica does not follow",
		Long: `Ask every replica what it waits for, and say what is missing and from whom, the most decisive cause first: too few replicas,
a partition, states that differ, a view change or a batch that lacks votes, a primary that is silent, an operation that does not
end, a disk that is slow, a replica that fetches the state, clocks that are apart, a key in use twice, messages that are refused.
Where two replicas say what cannot both be true, that is said too. What a replica says is not proven.

With --from it reads what "tagma status --json --all" printed, so that it can be asked later and elsewhere.

The exit code is 0 if there is no cause, else 1.`,
		Example: p.text(`  tagma why
  tagma why --json | jq -r '.causes[].code'
  tagma status --json --all > then.json; tagma why --from then.json`),
		Args: command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := p.status(cmd, &to, from)
			if err != nil {
				return err
			}
			return explain(cmd.OutOrStdout(), s, to.JSON)
		},
	}
	to.Flags(cmd, statusTimeout)
	cmd.Flags().StringVar(&from, "from", "", "read this `file`, or - for standard input, in the place of asking")
	return cmd
}

// maxStatus bounds how many bytes of a saved status are read.
const maxStatus = 16 << 20

// status asks the replicas for their reports, or reads a file that the command status has printed.
func (p *Program) status(cmd *cobra.Command, to *Target, from string) (*status.Status, error) {
	if from == "" {
		s, err := askStatus(cmd.Context(), to)
		if err != nil {
			return nil, err
		}
		return s.Status, nil
	}
	data, from, err := command.ReadInput("a status", from, cmd.InOrStdin(), maxStatus)
	if err != nil {
		return nil, err
	}
	s := new(status.Status)
	if err := json.Unmarshal(data, s); err != nil || s.Quorum == 0 {
		return nil, command.Unusablef("%s is not what `tagma status --json --all` prints", from)
	}
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Replica != i || r.Reachable && (r.Report == nil || r.Report.Quorum == 0) {
			return nil, command.Unusablef("%s: the report of replica %d is not whole: take it with `tagma status --json --all`", from, i)
		}
	}
	return printable(s).Status, nil
}

// explain prints the causes.
func explain(w io.Writer, s *status.Status, asJSON bool) error {
	causes := s.Why()
	var err error
	switch {
	case asJSON:
		err = command.PrintJSON(w, struct {
			Cluster string         `json:"cluster"`
			Causes  []status.Cause `json:"causes"`
		}{s.Cluster, append([]status.Cause{}, causes...)})
	case len(causes) == 0:
		return terminal.Say(w, "nothing is wrong: %d of %d replicas answer, and nothing waits\n", s.Answered, len(s.Replicas))
	default:
		for i, c := range causes {
			text := fmt.Sprintf("%d. %s\n", i+1, terminal.Printable(c.Text))
			if c.Mend != "" {
				text += fmt.Sprintf("   → %s\n", c.Mend)
			}
			if err = terminal.Say(w, "%s", text); err != nil {
				break
			}
		}
	}
	if err == nil && len(causes) > 0 {
		err = errors.New("why: " + string(causes[0].Code))
	}
	return err
}
