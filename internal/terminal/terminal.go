package terminal

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"unicode"
)

// Colours reports whether w is a terminal on which colours may be used.
func Colours(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && Redraws(w) }

// IsTerminal reports whether w is a terminal or another character device.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Redraws reports whether w is a terminal on which a line can be redrawn: one whose type is in TERM, or one of Windows.
func Redraws(w io.Writer) bool {
	kind := os.Getenv("TERM")
	return IsTerminal(w) && kind != "dumb" && (kind != "" || runtime.GOOS == "windows")
}

// Style says which codes of terminals may be used. The zero value stands for plain text without any.
type Style struct {
	Redraws bool // lines may be redrawn
	Colour  bool
}

// StyleOf says what may be used on an output.
func StyleOf(w io.Writer) Style { return Style{Redraws: Redraws(w), Colour: Colours(w)} }

// Bold is for names.
func (s Style) Bold(text string) string { return Coloured(s.Colour, bold, text) }

// Dim is for what matters less.
func (s Style) Dim(text string) string { return Coloured(s.Colour, dim, text) }

// Red is for what is wrong.
func (s Style) Red(text string) string { return Coloured(s.Colour, Red, text) }

// Green is for what is well.
func (s Style) Green(text string) string { return Coloured(s.Colour, Green, text) }

// Colours by their numbers on terminals.
const (
	Red    = 31
	Green  = 32
	Yellow = 33

	bold = 1
	dim  = 2
)

// Coloured puts a text in a colour, if on is set.
func Coloured(on bool, colour int, s string) string {
	if !on {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, s)
}

// Printable removes characters with which a lying replica could manipulate a terminal.
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

// Count writes a number of things, such as "1 key" or "2 keys".
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
