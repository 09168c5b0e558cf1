package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tagma/internal/command"
)

// patience bounds every wait for a real process.
const patience = 30 * time.Second

// process is a running `tagma node`.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string // of its standard output
	ended chan struct{}

	mu     sync.Mutex
	stderr bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// startNode runs a replica and returns when it says that it is ready.
func startNode(t *testing.T, home string, vary ...func(*process)) *process {
	t.Helper()
	return startSaying(t, home, "is ready at /ip4/127.0.0.1/tcp/", vary...)
}

// startSaying runs a replica and returns when it has printed a line, which must be the expected one.
func startSaying(t *testing.T, home, what string, vary ...func(*process)) *process {
	t.Helper()
	p := &process{t: t, lines: make(chan string, 16), ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], "node", "--home", home)
	p.cmd.Env = append(os.Environ(), asTagma+"=1")
	p.cmd.Stderr = p
	dieWithParent(p.cmd)
	for _, v := range vary {
		v(p)
	}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.follow(stdout)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		_ = stdin.Close() // held open until here
		if t.Failed() {
			t.Logf("log of %s:\n%s", home, p.log())
		}
	})
	if line := p.line(); !strings.Contains(line, what) {
		t.Fatalf("instead of %q, %s says %q; its log:\n%s", what, home, line, p.log())
	}
	return p
}

func (p *process) follow(stdout io.Reader) {
	scanner := bufio.NewScanner(stdout)
	for scanner.Scan() {
		p.lines <- scanner.Text()
	}
	close(p.lines)
	_ = p.cmd.Wait() // exitCode reads the state of the process
	close(p.ended)
}

// line returns the next line of standard output, or "" at its end.
func (p *process) line() string {
	p.t.Helper()
	select {
	case line := <-p.lines:
		return line
	case <-time.After(patience):
		p.t.Fatalf("no output in %v; the log:\n%s", patience, p.log())
		return ""
	}
}

// signal sends a signal to this process and no other.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) exitCode() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("it has not ended in %v; the log:\n%s", patience, p.log())
		return -1
	}
}

// outcome is the result of one command line.
type outcome struct {
	args           []string
	code           int
	stdout, stderr string
}

func (o outcome) String() string {
	return fmt.Sprintf("tagma %q: exit code %d, stdout %q, stderr %q", o.args, o.code, o.stdout, o.stderr)
}

// tagma runs a command line in this process.
func tagma(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), patience) // this stops a replica that was expected to refuse to start
	defer cancel()
	code := execute(ctx, args, &stdout, &stderr)
	return outcome{args, code, stdout.String(), stderr.String()}
}

// tagmaProcess runs a command line in a process of its own.
func tagmaProcess(t *testing.T, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asTagma+"=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	dieWithParent(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }() // held open until here
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return outcome{args, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs a command line that must succeed, and returns its standard output.
func must(t *testing.T, args ...string) string {
	t.Helper()
	o := tagma(t, args...)
	if o.code != command.Done || o.stderr != "" {
		t.Fatal(o)
	}
	return o.stdout
}

// eventually waits until a condition on real processes holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}
