package terminal

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// EraseLine erases the line in which the cursor is.
const EraseLine = "\r\x1b[K"

// redrawEvery is the shortest time between two drawings of a line.
const redrawEvery = 100 * time.Millisecond

// Line is a line on a terminal that is redrawn in place. On other outputs nothing is drawn. It ignores errors: a reader
// that has gone is no reason to end the work that the line shows.
type Line struct {
	out  io.Writer // nil: nothing is drawn
	last time.Time
}

// NewLine returns a Line on an output; it draws only if that is a terminal.
func NewLine(out io.Writer) *Line {
	if !Redraws(out) {
		out = nil
	}
	return &Line{out: out}
}

// Live reports whether anything is drawn.
func (l *Line) Live() bool { return l.out != nil }

// Draw replaces the line by a text, unless it was drawn a moment ago.
func (l *Line) Draw(text string) {
	if l.out != nil && time.Since(l.last) >= redrawEvery {
		l.last = time.Now()
		_, _ = io.WriteString(l.out, EraseLine+text)
	}
}

// Clear removes the line, so that other output can follow.
func (l *Line) Clear() {
	if l.out != nil {
		_, _ = io.WriteString(l.out, EraseLine)
	}
}

// Bar is a Line that shows how far long work is.
type Bar struct{ *Line }

// NewBar returns a Bar on an output. It draws only if that is a terminal and the work need not be silent.
func NewBar(out io.Writer, silent bool) Bar {
	if silent {
		return Bar{&Line{}}
	}
	return Bar{NewLine(out)}
}

// Show draws a bar for a share, the name of the work, and a text with details.
func (b Bar) Show(what string, share float64, text string) {
	if b.Live() {
		b.Draw(fmt.Sprintf("%s %s  %s", Cells(share, Colours(b.out)), what, text))
	}
}

// Sharing is Show for work of which only the share is known.
func (b Bar) Sharing(what string) func(share float64) {
	return func(share float64) { b.Show(what, share, Percent(share)) }
}

// Percent writes a share as a percentage.
func Percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// Cells draws a share as a bar of text.
func Cells(share float64, colour bool) string {
	const all = 24
	full := int(min(max(share, 0), 1) * all)
	return Coloured(colour, Green, strings.Repeat("█", full)) + strings.Repeat("░", all-full)
}

// Table writes rows of cells in columns, two spaces apart. The first row may be a heading.
func Table(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(table, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return table.Flush()
}
