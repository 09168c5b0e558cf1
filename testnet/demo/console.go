package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"tagma/testnet/tell"
)

// Console shows progress to people: on a terminal with a bar that is redrawn in place, elsewhere in plain lines. It
// writes what it can: a reader that has gone away is no reason to end a run.
type Console struct {
	out   io.Writer
	style tell.Style

	mu       sync.Mutex
	began    time.Time
	drawn    time.Time
	live     bool // the last line on the terminal is to be redrawn
	finished bool
}

// NewConsole shows progress on out.
func NewConsole(out io.Writer, style tell.Style) *Console { return &Console{out: out, style: style} }

const (
	redrawEvery = 100 * time.Millisecond // on a terminal
	repeatEvery = 5 * time.Second        // elsewhere
	barWidth    = 24
)

// Begin implements Progress.
func (c *Console) Begin(name, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.began, c.drawn, c.finished = time.Now(), time.Now(), false
	c.line("%s %s", c.style.Bold(fmt.Sprintf("%-10s", name)), what)
}

// Advance implements Progress.
func (c *Console) Advance(done, total int, unit string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	every := repeatEvery
	if c.style.Terminal {
		every = redrawEvery
	}
	if c.finished || time.Since(c.drawn) < every {
		return
	}
	c.drawn = time.Now()
	text := fmt.Sprintf("%s of %s %s", tell.Thousands(done), tell.Thousands(total), unit)
	elapsed := c.style.Dim(seconds(time.Since(c.began)))
	if !c.style.Terminal {
		c.line("%-10s   %s, %s", "", text, elapsed)
		return
	}
	_, _ = fmt.Fprintf(c.out, "\r\x1b[K%-10s %s %s  %s", "", bar(done, total), text, elapsed)
	c.live = true
}

// Note implements Progress.
func (c *Console) Note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line("%-10s %s %s", "", c.style.Red("!"), text)
}

// End implements Progress.
func (c *Console) End(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	c.line("%-10s %s %s  %s", "", c.style.Green("✓"), fmt.Sprintf(format, args...),
		c.style.Dim(seconds(time.Since(c.began))))
}

// Fail implements Progress.
func (c *Console) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	c.line("%-10s %s %v", "", c.style.Red("✗"), err)
}

// line writes a line that stays.
func (c *Console) line(format string, args ...any) {
	if c.live {
		_, _ = io.WriteString(c.out, "\r\x1b[K")
		c.live = false
	}
	_, _ = fmt.Fprintf(c.out, format+"\n", args...)
}

// bar is a progress bar.
func bar(done, total int) string {
	full := 0
	if total > 0 {
		full = min(done, total) * barWidth / total
	}
	return strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
}
