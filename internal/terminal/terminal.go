// Package terminal says how output is written: whether it goes to a terminal, colours, bars, and how sizes and counts are
// shown. It decides nothing about what is written.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
)

// Colours says whether w is a terminal that may be coloured.
func Colours(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	return IsTerminal(w)
}

// IsTerminal reports whether w is a terminal or another character device.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Redraws reports whether w is a terminal on which a line can be drawn again.
func Redraws(w io.Writer) bool { return IsTerminal(w) && os.Getenv("TERM") != "dumb" }

// Cells is a bar that shows a share.
func Cells(share float64, colour bool) string {
	const all = 24
	full := int(min(max(share, 0), 1) * all)
	return Coloured(colour, Green, strings.Repeat("█", full)) + strings.Repeat("░", all-full)
}

// Colours as terminals number them.
const (
	Red    = 31
	Green  = 32
	Yellow = 33
)

// Coloured is a text in a colour, if it is to be.
func Coloured(on bool, colour int, s string) string {
	if !on {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, s)
}

// Printable drops what a replica could use to play with a terminal: it may be lying.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// Bytes shows a size for people.
func Bytes(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// Count shows a number of things.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Say writes text like fmt.Fprintf.
func Say(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format, args...)
	return err
}

// Numbers lists numbers with commas between them.
func Numbers(ids []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]")
}
