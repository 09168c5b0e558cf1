package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"tagma/internal/command"
)

// A replica receives SIGHUP when its log is rotated or its terminal is closed. It logs into a file, and continues.
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

// Nobody reads the log any more. SIGPIPE would then kill a Go program that writes to its standard error, but the
// replica continues.
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
	p[2].signal(syscall.SIGTERM) // replica 3 logs a line about this
	if code := p[2].exitCode(); code != command.Done {
		t.Fatal(code)
	}
	eventually(t, "replica 3 has noticed that replica 2 is gone, and runs", func() bool {
		s, _ := status(t)
		return s.Replicas[3].Reachable && len(s.Replicas[3].Connected) == 2
	})
}

// fullPipe returns the writing end of a pipe that is full, and whose reader does not read.
func fullPipe(t *testing.T) *os.File {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	for size := 4096; size > 0; size /= 2 {
		for {
			if _, err := syscall.Write(ends[1], make([]byte, size)); errors.Is(err, syscall.EAGAIN) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := syscall.SetNonblock(ends[1], false); err != nil {
		t.Fatal(err)
	}
	read, write := os.NewFile(uintptr(ends[0]), "reader"), os.NewFile(uintptr(ends[1]), "full pipe")
	t.Cleanup(func() { _, _ = read.Close(), write.Close() })
	return write
}

// runUnread runs a replica whose output and log are not read. The channel ended receives its exit code.
func runUnread(t *testing.T, home string) (p *os.Process, ended <-chan int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "node", "--home", home)
	cmd.Env = append(os.Environ(), asTagma+"=1")
	pipe := fullPipe(t)
	cmd.Stdout, cmd.Stderr = pipe, pipe
	dieWithParent(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	code, gone := make(chan int, 1), make(chan struct{})
	go func() {
		defer close(gone)
		_ = cmd.Wait() // ProcessState has the exit code
		code <- cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-gone
		_ = stdin.Close() // held open until here
	})
	return cmd.Process, code
}

// A replica whose output pipe is full serves and ends as usual.
func TestNode_ServesAndEndsWhenItsOutputIsNotRead(t *testing.T) {
	dir := makeCluster(t)
	for i := range 2 {
		startNode(t, home(dir, i))
	}
	unread, ended := runUnread(t, home(dir, 2)) // one of three running replicas, so that nothing is ordered without it
	must(t, "put", "k", "v")
	_, second := runUnread(t, home(dir, 2))
	wait := func(what string, ended <-chan int, want int) {
		t.Helper()
		select {
		case code := <-ended:
			if code != want {
				t.Errorf("%s: exit code %d, want %d", what, code, want)
			}
		case <-time.After(patience):
			t.Fatalf("%s: it does not end", what)
		}
	}
	wait("a second process of the same home", second, command.Failed)
	if err := unread.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wait("a stop", ended, command.Done)
}
