package local

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Death is the end of a replica's process that nobody asked for.
type Death struct {
	Replica int
	Process int    // its number in the system
	How     string // "signal: killed", "exit status 1"
	Own     bool   // it ended by itself, and not by a signal
	Last    string // the last line of its log, if it ended by itself
	At      time.Time
}

// String is one line for people.
func (d Death) String() string {
	s := fmt.Sprintf("replica %d (pid %d) died: %s", d.Replica, d.Process, d.How)
	if d.Last != "" {
		s += ": " + d.Last
	}
	return s
}

// watch waits for a process's end and tells of it when nobody asked for it.
func (c *Cluster) watch(id int, p *process) {
	err := p.cmd.Wait()
	counts := p.channel.end()
	c.mu.Lock()
	c.processes[id] = nil
	c.ordered.past[id].add(counts)
	expected := p.expected
	c.mu.Unlock()
	close(p.ended)
	if expected {
		return
	}
	d := Death{Replica: id, Process: p.cmd.Process.Pid, How: "exit status 0", At: time.Now()}
	if err != nil {
		d.How = err.Error()
	}
	if p.cmd.ProcessState.Exited() {
		d.Own = true
		d.Last = lastLine(filepath.Join(c.Home(id), LogFile))
	}
	select {
	case c.deaths <- d:
	default: // nobody listens
	}
}

// lastLine is the end of a log, bounded.
func lastLine(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return tail(data)
}

// tail is the last line of a text, at most 300 bytes of it.
func tail(text []byte) string {
	text = bytes.TrimSpace(text)
	text = text[bytes.LastIndexByte(text, '\n')+1:]
	return string(text[max(0, len(text)-300):])
}
