package comeback

import (
	"fmt"
	"io"
	"strings"
)

// String is the case in a line.
func (c *Case) String() string {
	parts := make([]string, 0, len(c.Figures)+2)
	if c.Failure != "" {
		parts = append(parts, "FAILED: "+c.Failure)
	}
	for i := range c.Figures {
		parts = append(parts, c.Figures[i].String())
	}
	if c.Starved != "" {
		parts = append(parts, c.Starved)
	}
	return strings.Join(append(parts, fmt.Sprintf("load average %.1f to %.1f", c.LoadAverage[0], c.LoadAverage[1])), "; ")
}

// Print tells people what came of it: the verdict of each case, and where to look. The figures were told as they came.
func Print(w io.Writer, d *Document) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\n%d keys, values of %d bytes, load %s, %d cores\n", d.Keys, d.ValueBytes, d.Load, d.Cores)
	for _, c := range d.Cases {
		fmt.Fprintf(&text, "%-10s %-12s %6.1f s", c.Name, strings.ToUpper(c.Verdict), c.Seconds)
		if c.Files != "" {
			fmt.Fprintf(&text, "  logs, journals and stores are in %s", c.Files)
		}
		text.WriteString("\n")
	}
	fmt.Fprintf(&text, "%s\n", strings.ToUpper(d.Verdict))
	_, err := io.WriteString(w, text.String())
	return err
}
