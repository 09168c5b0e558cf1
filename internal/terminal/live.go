package terminal

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// EraseLine takes away the line that the cursor is in.
const EraseLine = "\r\x1b[K"

// redrawEvery is how often a line is drawn at most.
const redrawEvery = 100 * time.Millisecond

// Line is a line that is drawn again and again in its place on a terminal. Elsewhere nothing is drawn. It writes what it
// can: a reader that has gone away is no reason to end the work that it shows.
type Line struct {
	out  io.Writer // nil: nothing is drawn
	last time.Time
}

// NewLine draws on an output, unless that is no terminal.
func NewLine(out io.Writer) *Line {
	if !Redraws(out) {
		out = nil
	}
	return &Line{out: out}
}

// Live reports whether anything is drawn.
func (l *Line) Live() bool { return l.out != nil }

// Draw draws a text in the place of the last one, unless that was drawn a moment ago.
func (l *Line) Draw(text string) {
	if l.out != nil && time.Since(l.last) >= redrawEvery {
		l.last = time.Now()
		_, _ = io.WriteString(l.out, EraseLine+text)
	}
}

// Clear makes room for what follows.
func (l *Line) Clear() {
	if l.out != nil {
		_, _ = io.WriteString(l.out, EraseLine)
	}
}

// Bar is a Line that shows how far long work is.
type Bar struct{ *Line }

// NewBar draws on an output, unless that is no terminal or the work is to be silent.
func NewBar(out io.Writer, silent bool) Bar {
	if silent {
		return Bar{&Line{}}
	}
	return Bar{NewLine(out)}
}

// Show draws a bar for a share, what the work is, and a text that says more.
func (b Bar) Show(what string, share float64, text string) {
	if b.Live() {
		b.Draw(fmt.Sprintf("%s %s  %s", Cells(share, Colours(b.out)), what, text))
	}
}

// Sharing is Show for work of which only the share is known.
func (b Bar) Sharing(what string) func(share float64) {
	return func(share float64) { b.Show(what, share, Percent(share)) }
}

// Percent shows a share.
func Percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// Cells is a bar that shows a share.
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
