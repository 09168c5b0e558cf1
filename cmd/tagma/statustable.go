package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"tagma/internal/command"
	"tagma/internal/node"
)

// problem says why the cluster is not in order, or returns "". It asks only what any f replicas that are down, behind or
// lying about themselves cannot spoil, but for equal checkpoints: a difference there is worth an alarm whoever is at fault.
func (s *clusterStatus) problem() string {
	if s.Answered < s.Quorum {
		return fmt.Sprintf("%d of %d replicas answer, and %d are needed to get anything done: start the others, or mend the way to them",
			s.Answered, len(s.Replicas), s.Quorum)
	}
	active := make(map[uint64]int)
	states := make(map[uint64]*replicaStatus)
	most := 0
	for i := range s.Replicas {
		r := &s.Replicas[i]
		if !r.Reachable {
			continue
		}
		if r.Active {
			active[r.View]++
			most = max(most, active[r.View])
		}
		if first := states[r.StableCheckpoint]; first == nil {
			states[r.StableCheckpoint] = r
		} else if first.StateDigest != r.StateDigest {
			return fmt.Sprintf("replicas %d and %d name different states at checkpoint %d: one of them lies or is damaged",
				first.Replica, r.Replica, r.StableCheckpoint)
		}
	}
	if lost := s.lost(); most < s.Quorum && len(lost) > 0 {
		return fmt.Sprintf("replicas %s lost data, more than the cluster can do without: nobody serves; mount their data disks and"+
			" start them again", strings.Join(lost, ", "))
	}
	if most < s.Quorum {
		return fmt.Sprintf("no view is active on %d replicas (on %d at most): they are changing views; look again in a moment",
			s.Quorum, most)
	}
	return ""
}

// lost lists the replicas that may have forgotten what they signed.
func (s *clusterStatus) lost() (ids []string) {
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Reachable && r.Recovery != nil && r.Recovery.Phase == node.PhaseForgotten {
			ids = append(ids, fmt.Sprint(r.Replica))
		}
	}
	return ids
}

func (s *clusterStatus) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return command.PrintJSON(w, s)
	}
	colour := colours(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	text := "REPLICA\tVIEW\tPRIMARY\tEXECUTED\tSTABLE\tIN FLIGHT\tPEERS\tSTATE\tHEALTH\n"
	for i := range s.Replicas {
		text += s.Replicas[i].line(colour)
	}
	if _, err := io.WriteString(table, text); err != nil {
		return err
	}
	return table.Flush()
}

// line is a replica's line of the table. Only its last cell is coloured: the others are padded by their length.
func (r *replicaStatus) line(colour bool) string {
	if !r.Reachable {
		return fmt.Sprintf("%d\t-\t-\t-\t-\t-\t-\t-\t%s\n", r.Replica, coloured(colour, red, r.whyUnreachable()))
	}
	state := "-" // no checkpoint yet
	if r.StableCheckpoint > 0 {
		state = r.StateDigest[:min(len(r.StateDigest), 12)]
	}
	view := fmt.Sprint(r.View)
	switch {
	case r.Recovery != nil && r.Recovery.Phase == node.PhaseForgotten:
		view = "-"
	case !r.Active:
		view += " (changing)"
	}
	health := coloured(colour, green, r.Health)
	switch back := printable(recoveryText(r.Report)); {
	case back != "" && r.Health == "ok":
		health += coloured(colour, yellow, "; "+back)
	case back != "":
		health = coloured(colour, yellow, back)
	case r.Health != "ok":
		health = coloured(colour, yellow, r.Health)
	}
	for _, c := range r.Convicted {
		health += coloured(colour, red, fmt.Sprintf("; has proof against replica %d: %s", c.Replica, printable(c.Kind)))
	}
	return fmt.Sprintf("%d\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", r.Replica, view, r.Primary, r.Executed, r.StableCheckpoint,
		r.InFlight, len(r.Connected), state, health)
}

// whyUnreachable leaves out the replica's name, which begins the line already.
func (r *replicaStatus) whyUnreachable() string {
	why := r.Error
	if _, after, named := strings.Cut(why, ") "); named && strings.HasPrefix(why, "replica ") {
		why = after
	}
	return "unreachable: " + strings.TrimPrefix(why, "cannot be reached at ")
}
