package comeback

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"tagma/testnet/report"
)

// Document is the result of a run. Its JSON is printed by `tagma-testnet comeback --json`.
type Document struct {
	Format     int     `json:"format"`
	Verdict    string  `json:"verdict"` // the worst of the cases: pass, inconclusive or fail
	Keys       int     `json:"keys"`
	ValueBytes int     `json:"value_bytes"`
	Load       string  `json:"load"` // off or half
	Cores      int     `json:"cores"`
	Cases      []*Case `json:"cases"`
}

// Case is the result of one case. It fails if something did not happen, if something was wrong, or if a bound was
// missed. It is inconclusive if only bounds on time or throughput were missed, and the machine gave the processes too
// little time.
type Case struct {
	Name    string   `json:"name"`
	About   string   `json:"about"`
	Verdict string   `json:"verdict"`
	Failure string   `json:"failure,omitempty"` // why it ended early, or what was wrong at its end
	late    bool     // Failure says that time ran out
	Figures []Figure `json:"figures"`

	Seconds     float64    `json:"seconds"`      // of the whole case
	LoadAverage [2]float64 `json:"load_average"` // of the machine over a minute, before and after; 0 if the system has none
	PausedMS    float64    `json:"paused_ms"`    // the longest time for which the machine did not let a process run
	Taken       float64    `json:"taken"`        // the share of all processor time that other programs used, 0 to 1
	Starved     string     `json:"starved,omitempty"`
	Files       string     `json:"files,omitempty"` // where logs, journals and stores are, if they were left
}

// Figure is one measurement. It has a bound if there is a target.
type Figure struct {
	Name    string   `json:"name"`
	Value   float64  `json:"value"`
	Unit    string   `json:"unit,omitempty"`
	AtMost  *float64 `json:"at_most,omitempty"`
	AtLeast *float64 `json:"at_least,omitempty"`
	Held    bool     `json:"held"`
	Timed   bool     `json:"timed,omitempty"` // a slow machine alone may miss the bound
}

// String is the figure for people, with the bound behind it.
func (f *Figure) String() string {
	text := fmt.Sprintf("%s %s", f.Name, number(f.Value))
	if f.Unit != "" {
		text += " " + f.Unit
	}
	switch {
	case f.AtMost != nil:
		text += fmt.Sprintf(" (at most %s)", number(*f.AtMost))
	case f.AtLeast != nil:
		text += fmt.Sprintf(" (at least %s)", number(*f.AtLeast))
	}
	if !f.Held {
		text += " MISSED"
	}
	return text
}

// number has as many digits as a reader needs.
func number(x float64) string {
	if x == math.Trunc(x) || math.Abs(x) >= 1000 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// tell adds a figure without a bound.
func (c *Case) tell(name string, value float64, unit string) {
	c.add(Figure{Name: name, Value: value, Unit: unit})
}

func (c *Case) add(f Figure) {
	f.Value = math.Round(f.Value*1e4) / 1e4
	f.Held = (f.AtMost == nil || f.Value <= *f.AtMost) && (f.AtLeast == nil || f.Value >= *f.AtLeast)
	c.Figures = append(c.Figures, f)
}

// took adds how long something took; a bound of 0 means none.
func (c *Case) took(name string, d, most time.Duration) {
	f := Figure{Name: name, Value: d.Seconds(), Unit: "s", Timed: true}
	if most > 0 {
		f.AtMost = new(most.Seconds())
	}
	c.add(f)
}

// atMost adds a figure with a bound that must be kept even on a slow machine.
func (c *Case) atMost(name string, value, most float64, unit string) {
	c.add(Figure{Name: name, Value: value, Unit: unit, AtMost: &most})
}

// judge sets the verdict of a case.
func (c *Case) judge() {
	c.Verdict = report.Pass
	missed := func(excused bool) bool {
		return slices.ContainsFunc(c.Figures, func(f Figure) bool { return !f.Held && excused == (f.Timed && c.Starved != "") })
	}
	switch {
	case c.Failure != "" && (!c.late || c.Starved == "") || missed(false):
		c.Verdict = report.Fail
	case c.Failure != "" || missed(true):
		c.Verdict = report.Inconclusive
	}
}

// judge sets the verdict of a run: that of its worst case.
func (d *Document) judge() {
	d.Verdict = report.Pass
	for _, worse := range []string{report.Inconclusive, report.Fail} {
		if slices.ContainsFunc(d.Cases, func(c *Case) bool { return c.Verdict == worse }) {
			d.Verdict = worse
		}
	}
}

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

// Print writes the verdict of each case, and where its files are. The figures were shown as they came.
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
