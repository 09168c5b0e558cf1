package operate

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"tagma/internal/node"
	"tagma/internal/terminal"
)

// lastLine keeps one line below the log on a terminal, and redraws it when it changes. If the output is not a terminal,
// there is only the log.
type lastLine struct {
	out      io.Writer
	terminal bool

	mu   sync.Mutex
	text string
}

func newLastLine(out io.Writer) *lastLine {
	return &lastLine{out: out, terminal: terminal.Redraws(out)}
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

// set replaces the last line; "" removes it.
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

// clear and draw ignore errors: a terminal that is gone is no reason for a replica to stop.
func (l *lastLine) clear() { _, _ = io.WriteString(l.out, "\r\x1b[K") }

func (l *lastLine) draw() { _, _ = io.WriteString(l.out, l.text) }

const lookRecovery = 500 * time.Millisecond

// follow shows how the replica comes back, until the context ends.
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
			l.set(recoveryLine(&r, terminal.Colours(l.out)))
		}
	}
}

// recoveryLine shows a transfer as a bar, and anything else as text.
func recoveryLine(r *node.Report, colour bool) string {
	text := recoveryText(r)
	if text == "" || r.Recovery.Transfer == nil {
		return text
	}
	return terminal.Cells(r.Recovery.Transfer.Share, colour) + "  " + text
}

// recoveryText says in a few words how a replica comes back; "" if it is back or its health already says enough.
func recoveryText(r *node.Report) string {
	rec := r.Recovery
	if rec == nil || rec.Halted {
		return ""
	}
	switch rec.Phase {
	case node.PhaseForgotten:
		text := fmt.Sprintf("has lost data: %d of the %d others it needs have answered", len(rec.Whole), rec.Needed)
		if len(rec.LostToo) > 0 {
			text += "; lost data too: " + terminal.Numbers(rec.LostToo)
		}
		return text
	case node.PhaseAsking:
		return "asks others what it signed"
	case node.PhaseFetching:
		return transferText(rec.Transfer)
	case node.PhaseSilent:
		if rec.Unclean { // its health says so
			return ""
		}
		return fmt.Sprintf("silent until checkpoint %d, votes from view %d", rec.SilentUntil, rec.FromView)
	case node.PhaseFollowing:
		if rec.FromView > r.View {
			return fmt.Sprintf("follows, votes from view %d", rec.FromView)
		}
	}
	return ""
}

func transferText(t *node.Transfer) string {
	if t == nil || t.Checkpoint == 0 {
		return "fetches the state"
	}
	text := fmt.Sprintf("fetches the state at %d: %.0f%%, %s at %s/s", t.Checkpoint, 100*t.Share, terminal.Bytes(int64(t.Bytes)),
		terminal.Bytes(int64(t.BytesPerSecond)))
	if left := time.Duration(t.RemainingMillis) * time.Millisecond; left > 0 {
		text += ", " + left.Round(time.Second).String() + " left"
	}
	return text
}
