package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// eraseLine erases the line in which the cursor is, and eraseScreen all lines.
const (
	eraseLine   = "\r\x1b[K"
	eraseScreen = "\x1b[H\x1b[2J"
)

// ClearScreen erases all that is on a terminal. On other outputs it does nothing.
func ClearScreen(w io.Writer) error {
	if !IsTerminal(w) {
		return nil
	}
	return Say(w, eraseScreen)
}

// redrawEvery is the shortest time between two drawings of a line.
const redrawEvery = 100 * time.Millisecond

// Line is a line on a terminal that is redrawn in place. On other outputs nothing is drawn. It ignores errors, because
// work must not end only because its progress cannot be shown.
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

// Draw replaces the line by a text. It does nothing if the line was drawn a moment ago.
func (l *Line) Draw(text string) {
	if l.out != nil && time.Since(l.last) >= redrawEvery {
		l.last = time.Now()
		_, _ = io.WriteString(l.out, eraseLine+text)
	}
}

// Clear removes the line, so that other output can follow.
func (l *Line) Clear() {
	if l.out != nil {
		_, _ = io.WriteString(l.out, eraseLine)
	}
}

// Footer keeps one line below what is written to a terminal, and draws it again when it changes. On other outputs, only
// what is written appears. It may be used by several goroutines.
type Footer struct {
	Style
	out io.Writer

	mu   sync.Mutex
	text string
}

// NewFooter writes to an output.
func NewFooter(out io.Writer) *Footer { return &Footer{out: out, Style: StyleOf(out)} }

// Write writes lines above the last one.
func (f *Footer) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.text == "" {
		return f.out.Write(p)
	}
	f.put(eraseLine)
	n, err := f.out.Write(p)
	f.put(f.text)
	return n, err
}

// Set replaces the last line; "" removes it. Where lines cannot be drawn again it does nothing.
func (f *Footer) Set(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if text == f.text || !f.Redraws {
		return
	}
	f.text = text
	f.put(eraseLine + text)
}

// put ignores errors, because work must not end only because its progress cannot be shown.
func (f *Footer) put(text string) { _, _ = io.WriteString(f.out, text) }

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
