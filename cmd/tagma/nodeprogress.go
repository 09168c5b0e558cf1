package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"tagma/internal/node"
)

// lastLine keeps a line below a log on a terminal, redrawn as it changes. Elsewhere the log alone tells.
type lastLine struct {
	out      io.Writer
	terminal bool

	mu   sync.Mutex
	text string
}

func newLastLine(out io.Writer) *lastLine {
	return &lastLine{out: out, terminal: isTerminal(out) && os.Getenv("TERM") != "dumb"}
}

// Write writes a line of the log above the last line.
func (l *lastLine) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == "" {
		return l.out.Write(p)
	}
	l.clear()
	n, err := l.out.Write(p)
	l.draw()
	return n, err
}

// set replaces the last line; "" takes it away.
func (l *lastLine) set(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if text == l.text {
		return
	}
	l.clear()
	l.text = text
	l.draw()
}

// clear and draw write what they can: a terminal that has gone away is no reason for a replica to stop.
func (l *lastLine) clear() { _, _ = io.WriteString(l.out, "\r\x1b[K") }

func (l *lastLine) draw() { _, _ = io.WriteString(l.out, l.text) }

const (
	transferBar  = 24 // cells
	lookRecovery = 500 * time.Millisecond
)

// follow shows how the replica comes back until the context ends.
func (l *lastLine) follow(ctx context.Context, report func() node.Report) {
	if !l.terminal {
		return
	}
	next := time.NewTicker(lookRecovery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			l.set("")
			return
		case <-next.C:
			r := report()
			l.set(recoveryLine(&r, colours(l.out)))
		}
	}
}

// recoveryLine is a bar for a transfer, and a text for the rest.
func recoveryLine(r *node.Report, colour bool) string {
	text := recoveryText(r)
	if text == "" || r.Recovery.Transfer == nil {
		return text
	}
	full := int(min(max(r.Recovery.Transfer.Share, 0), 1) * transferBar)
	return fmt.Sprintf("%s%s  %s", coloured(colour, green, strings.Repeat("█", full)), strings.Repeat("░", transferBar-full), text)
}
