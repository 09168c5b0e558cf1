package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"tagma/internal/command"
)

// A rotation of logs, or a terminal that is gone, sends SIGHUP: a replica that logs into a file goes on.
func TestNode_GoesOnAfterSIGHUP(t *testing.T) {
	dir := makeCluster(t)
	p := startNode(t, home(dir, 0))
	p.signal(syscall.SIGHUP)
	eventually(t, "it says that it goes on", func() bool { return strings.Contains(p.log(), "the replica goes on") })
	p.signal(syscall.SIGTERM)
	if line, code := p.line(), p.exitCode(); line != "replica 0 stopped cleanly" || code != command.Done {
		t.Errorf("it says %q and ends with %d", line, code)
	}
}

// The reader of the log goes away: SIGPIPE would kill a Go program that writes to its standard error then.
func TestNode_GoesOnWhenNobodyReadsItsLog(t *testing.T) {
	dir := makeCluster(t)
	var p [4]*process
	for i := range p {
		if i != 3 {
			p[i] = startNode(t, home(dir, i))
		}
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p[3] = startNode(t, home(dir, 3), func(p *process) { p.cmd.Stderr = write })
	_ = write.Close() // the process has its own
	eventually(t, "all replicas are connected", func() bool { s, _ := status(t); return allConnected(s) })
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	p[2].signal(syscall.SIGTERM) // of which replica 3 logs a line
	if code := p[2].exitCode(); code != command.Done {
		t.Fatal(code)
	}
	eventually(t, "replica 3 has noticed that replica 2 is gone, and runs", func() bool {
		s, _ := status(t)
		return s.Replicas[3].Reachable && len(s.Replicas[3].Connected) == 2
	})
}
