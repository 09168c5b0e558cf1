package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/terminal"
	"tagma/pbft/wire"
)

// about says in a few words what the two statements contradict each other on.
func about(e wire.Evidence) string {
	var first, second recordEntry
	first.statement(e.First)
	second.statement(e.Second)
	text := first.Type
	if first.View != nil {
		text += fmt.Sprintf(" view %d", *first.View)
	}
	if first.Seq != nil {
		text += fmt.Sprintf(" seq %d", *first.Seq)
	}
	if first.Digest == "" {
		return text + ": two different ones"
	}
	return fmt.Sprintf("%s: digests %.12s and %.12s", text, first.Digest, second.Digest)
}

// aboutState says in a few words what was wrong with a state.
func aboutState(d *node.Divergence) string {
	text := fmt.Sprintf("own state after %d: %.12s and not %.12s", d.Checkpoint, terminal.Printable(d.Own), terminal.Printable(d.Stable))
	if d.RepairedAt == 0 {
		return text + "; not repaired yet"
	}
	text += fmt.Sprintf("; repaired at %d, %s differed:", d.RepairedAt, terminal.Count(d.Differing, "key"))
	for _, key := range d.Keys {
		text += fmt.Sprintf(" %.40q", key)
	}
	return text
}

func printEvidence(w io.Writer, dir string, found []evidenceEntry, asJSON bool) error {
	if asJSON {
		return command.PrintJSON(w, map[string]any{"dir": dir, "evidence": found})
	}
	if len(found) == 0 {
		return terminal.Say(w, "no evidence in %s\n", dir)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	text := "REPLICA\tKIND\tABOUT\tVERIFIED\tFILE\n"
	for _, e := range found {
		replica, verdict := fmt.Sprint(e.Replica), "not checked"
		switch {
		case e.Error != "":
			verdict = "no: " + terminal.Printable(command.OneLine(e.Error))
		case e.Verified:
			verdict = "yes"
		}
		if e.Replica < 0 {
			replica = "-"
		}
		text += fmt.Sprintf("%s\t%s\t%s\t%s\t%s\n", replica, e.Kind, e.About, verdict, terminal.Printable(e.File))
	}
	if _, err := io.WriteString(table, text); err != nil {
		return err
	}
	return table.Flush()
}

// worthless is the error of evidence that proves nothing.
func worthless(found []evidenceEntry) error {
	bad, first := 0, ""
	for _, e := range found {
		if e.Error == "" {
			continue
		}
		if bad++; first == "" {
			first = terminal.Printable(e.File) + ": " + terminal.Printable(command.OneLine(e.Error))
		}
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d files of evidence prove nothing (%s)", bad, len(found), first)
}
