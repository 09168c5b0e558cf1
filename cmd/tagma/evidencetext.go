package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"tagma/internal/command"
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

func printEvidence(w io.Writer, dir string, found []evidenceEntry, asJSON bool) error {
	if asJSON {
		return command.PrintJSON(w, map[string]any{"dir": dir, "evidence": found})
	}
	if len(found) == 0 {
		return say(w, "no evidence in %s\n", dir)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	text := "REPLICA\tKIND\tABOUT\tVERIFIED\tFILE\n"
	for _, e := range found {
		replica, verdict := fmt.Sprint(e.Replica), "not checked"
		switch {
		case e.Error != "":
			verdict = "no: " + printable(command.OneLine(e.Error))
		case e.Verified:
			verdict = "yes"
		}
		if e.Replica < 0 {
			replica = "-"
		}
		text += fmt.Sprintf("%s\t%s\t%s\t%s\t%s\n", replica, e.Kind, e.About, verdict, printable(e.File))
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
			first = printable(e.File) + ": " + printable(command.OneLine(e.Error))
		}
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d files of evidence prove nothing (%s)", bad, len(found), first)
}
