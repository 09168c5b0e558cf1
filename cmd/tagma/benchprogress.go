package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tagma/internal/bench"
)

// benchProgress shows how far a run is: a bar that is redrawn on a terminal, a line now and then elsewhere. It writes what
// it can: a reader that has gone away is no reason to end a run.
type benchProgress struct {
	out      io.Writer
	terminal bool
}

func newBenchProgress(out io.Writer) *benchProgress {
	return &benchProgress{out: out, terminal: isTerminal(out) && os.Getenv("TERM") != "dumb"}
}

// every is how often show is to be called.
func (p *benchProgress) every() time.Duration {
	if p.terminal {
		return 100 * time.Millisecond
	}
	return 5 * time.Second
}

const benchBar = 24 // cells

func (p *benchProgress) show(at bench.Progress) {
	share := at.Elapsed.Seconds() / max(at.Length.Seconds(), 1e-9)
	if at.Of > 0 {
		share = float64(at.Done) / float64(at.Of)
	}
	full := int(min(share, 1) * benchBar)
	what := "measuring"
	if at.Warming {
		what = "warming up"
	}
	text := fmt.Sprintf("%d operations, %.0f/s, %.1f s", at.Done, float64(at.Done)/at.Elapsed.Seconds(), at.Elapsed.Seconds())
	if !p.terminal {
		_, _ = fmt.Fprintf(p.out, "%s: %s\n", what, text)
		return
	}
	cells := coloured(colours(p.out), green, strings.Repeat("█", full)) + strings.Repeat("░", benchBar-full)
	_, _ = fmt.Fprintf(p.out, "\r\x1b[K%-10s %s  %s", what, cells, text)
}

// clear makes room for what follows.
func (p *benchProgress) clear() {
	if p.terminal {
		_, _ = io.WriteString(p.out, "\r\x1b[K")
	}
}
