package main

import (
	"bufio"
	"fmt"
	"io"

	"tagma/internal/terminal"
)

// print writes a journal for people: segments with their records, and a summary unless it is damaged.
func (d *journalDocument) print(w io.Writer) error {
	out := bufio.NewWriter(w) // keeps its first error for Flush
	next := 0
	for _, s := range d.Segments {
		fmt.Fprintf(out, "segment %s  %s  turns %d to %d  %s  seq up to %d\n",
			s.Name, terminal.Bytes(s.Bytes), s.FirstTurn, s.LastTurn, terminal.Count(s.Entries, "record"), s.MaxSeq)
		for ; next < len(d.Records) && d.Records[next].Segment == s.Name; next++ {
			fmt.Fprintf(out, "  %s\n", d.Records[next].line())
		}
	}
	if d.err == nil {
		fmt.Fprintf(out, "intact: %s, %s, %s\n", terminal.Count(len(d.Segments), "segment"), terminal.Count(d.Count, "record"), terminal.Bytes(d.Bytes))
	}
	if d.TornTurn != 0 {
		fmt.Fprintf(out, "turn %d is unfinished: a crash left it so, or the replica is writing it now; nothing of it was sent\n", d.TornTurn)
	}
	return out.Flush()
}
