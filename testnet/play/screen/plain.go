package screen

import (
	"fmt"
	"io"
	"sync"
	"time"

	"tagma/internal/terminal"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

// Plain shows a run in lines that stay. It ignores errors of writing, because a run must continue when its output is
// closed.
type Plain struct {
	out   io.Writer
	style terminal.Style

	mu   sync.Mutex
	last time.Time // when progress was last printed
}

// NewPlain shows runs on out.
func NewPlain(out io.Writer, style terminal.Style) *Plain { return &Plain{out: out, style: style} }

// repeatEvery is how often progress is printed.
const repeatEvery = 5 * time.Second

// Phase implements play.Show.
func (p *Plain) Phase(name, what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Now()
	p.line("%s %s", p.style.Bold(fmt.Sprintf("%-10s", name)), what)
}

// State implements play.Show.
func (p *Plain) State(s play.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.At == 0 || time.Since(p.last) < repeatEvery {
		return
	}
	p.last = time.Now()
	p.line("%10s %s, %s a second, view %d", seconds(s.At), progress(s), report.Thousands(int(s.OpsPerSecond)), view(s))
}

// Happened implements play.Show.
func (p *Plain) Happened(h play.Happening) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line("%s", happening(h, p.style))
}

func (p *Plain) line(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format+"\n", args...) }

// happening formats one line.
func happening(h play.Happening, style terminal.Style) string {
	mark := " "
	switch h.Kind {
	case play.Fired:
		mark = style.Bold("*")
	case play.Recovered:
		mark = style.Green("✓")
	case play.Bad:
		mark = style.Red("!")
	case play.Note:
	}
	return fmt.Sprintf("%10s %s %s", seconds(h.At), mark, h.What)
}

// progress says how far a run is.
func progress(s play.State) string {
	done := report.Thousands(s.Acknowledged)
	switch {
	case s.Goal > 0:
		return done + " of " + report.Thousands(s.Goal) + " operations"
	case s.End > 0:
		return fmt.Sprintf("%s operations, %s of %v", done, seconds(s.At), s.End)
	default:
		return done + " operations"
	}
}

// view is the highest view that a running replica reports.
func view(s play.State) (v uint64) {
	for _, r := range s.Replicas {
		if r.Up {
			v = max(v, r.View)
		}
	}
	return v
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
