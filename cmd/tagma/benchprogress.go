package main

import (
	"fmt"
	"io"
	"time"

	"tagma/internal/bench"
	"tagma/internal/terminal"
)

// benchProgress shows how far a run is: a bar that is redrawn on a terminal, a line now and then elsewhere. It writes what
// it can: a reader that has gone away is no reason to end a run.
type benchProgress struct {
	out      io.Writer
	terminal bool
}

func newBenchProgress(out io.Writer) *benchProgress {
	return &benchProgress{out: out, terminal: terminal.Redraws(out)}
}

// every is how often show is to be called.
func (p *benchProgress) every() time.Duration {
	if p.terminal {
		return 100 * time.Millisecond
	}
	return 5 * time.Second
}

func (p *benchProgress) show(at bench.Progress) {
	share := at.Elapsed.Seconds() / max(at.Length.Seconds(), 1e-9)
	if at.Of > 0 {
		share = float64(at.Done) / float64(at.Of)
	}
	what := "measuring"
	if at.Warming {
		what = "warming up"
	}
	text := fmt.Sprintf("%d operations, %.0f/s, %.1f s", at.Done, float64(at.Done)/at.Elapsed.Seconds(), at.Elapsed.Seconds())
	if !p.terminal {
		_, _ = fmt.Fprintf(p.out, "%s: %s\n", what, text)
		return
	}
	_, _ = fmt.Fprintf(p.out, "\r\x1b[K%-10s %s  %s", what, terminal.Cells(share, terminal.Colours(p.out)), text)
}

// clear makes room for what follows.
func (p *benchProgress) clear() {
	if p.terminal {
		_, _ = io.WriteString(p.out, "\r\x1b[K")
	}
}
