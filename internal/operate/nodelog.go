package operate

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// Bounds of log lines that wait to be written.
const (
	logLines    = 1 << 12
	logBytes    = 1 << 20
	logPatience = time.Second // how long the end of the process waits until its last lines are written
)

// looseLog is the output of a log. It writes the lines in the background, so a replica never waits for a log that nobody
// reads or that is on a full disk. If there is no room for a line, the line is dropped and counted, and a later line
// reports how many were dropped.
type looseLog struct {
	out  io.Writer
	work chan struct{} // holds a token while lines wait
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	lines [][]byte
	bytes int
	lost  int
}

func newLooseLog(out io.Writer) *looseLog {
	l := &looseLog{out: out, work: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Write accepts a line, or drops it. It never blocks and never fails.
func (l *looseLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == logLines || l.bytes+len(line) > logBytes {
		l.lost++
		return len(line), nil
	}
	l.lines = append(l.lines, append([]byte(nil), line...))
	l.bytes += len(line)
	select {
	case l.work <- struct{}{}:
	default:
	}
	return len(line), nil
}

func (l *looseLog) run() {
	defer close(l.done)
	for {
		select {
		case <-l.work:
			l.drain()
		case <-l.stop:
			l.drain()
			return
		}
	}
}

// drain writes the lines that wait.
func (l *looseLog) drain() {
	for {
		lines, lost := l.take()
		if lines == nil {
			return
		}
		for i, line := range lines {
			if lost > 0 {
				if _, err := fmt.Fprintf(l.out, "level=WARN msg=\"%d lines of this log were lost: nobody read it, or it could not be written\"\n", lost); err == nil {
					lost = 0
				}
			}
			if _, err := l.out.Write(line); err != nil {
				lost += len(lines) - i
				break
			}
		}
		if lost > 0 {
			l.mu.Lock()
			l.lost += lost
			l.mu.Unlock()
		}
	}
}

func (l *looseLog) take() (lines [][]byte, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, lost = l.lines, l.lost
	if lines != nil {
		l.lines, l.bytes, l.lost = nil, 0, 0
	}
	return lines, lost
}

// close writes the lines that wait, unless the log still accepts nothing. Nothing may be written afterwards.
func (l *looseLog) close() {
	close(l.stop)
	select {
	case <-l.done:
	case <-time.After(logPatience):
	}
}
