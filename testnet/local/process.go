package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// spawner starts processes from one operating system thread, which lives as long as the spawner: the kernel sends the
// parent-death signal when the thread that started the process ends, and Go may end threads at any time.
type spawner struct {
	jobs      chan func()
	end, done chan struct{}
	close     func() // ends the thread, however often it is called. Every process must have ended before.
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func()), end: make(chan struct{}), done: make(chan struct{})}
	s.close = sync.OnceFunc(func() { close(s.end); <-s.done })
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(s.done)
		for {
			select {
			case job := <-s.jobs:
				job()
			case <-s.end:
				return
			}
		}
	}()
	return s
}

// start starts a command on the spawner's thread.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = dieWithParent()
	result := make(chan error, 1)
	select {
	case s.jobs <- func() { result <- cmd.Start() }:
		return <-result
	case <-s.done:
		return errClosed
	}
}

// errClosed says that a cluster was closed and does not start anything any more.
var errClosed = errors.New("the cluster was closed; make another one")

// process is a replica's process.
type process struct {
	cmd      *exec.Cmd
	channel  *channel // kept open as long as the replica must live
	ended    chan struct{}
	expected bool // the process was told to end; guarded by the cluster's mutex, like paused
	paused   bool
}

// launch starts this program as the replica of a home, with env in addition to its own environment. The output of the
// process is appended to the file log.
func (s *spawner) launch(args, env []string, log string, first *Setup) (p *process, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program to run replicas with: %w", err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open a replica's log: %w", err)
	}
	defer out.Close() //nolint:errcheck // the child has its own descriptor
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = out
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open a replica's lifeline: %w", err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a replica's answers: %w", err), lifeline.Close())
	}
	if err := s.start(cmd); err != nil {
		_, _ = lifeline.Close(), answers.Close() // most failures have closed both
		return nil, fmt.Errorf("start a replica: %w", err)
	}
	return &process{cmd: cmd, channel: openChannel(pipes{answers, lifeline}, first), ended: make(chan struct{})}, nil
}

// Death is the end of a replica's process that was not told to end.
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

// watch waits for a process's end, and reports it if the process was not told to end.
func (c *Cluster) watch(id int, p *process) {
	err := p.cmd.Wait()
	counts := p.channel.end()
	c.mu.Lock()
	c.processes[id] = nil
	c.past[id].add(counts)
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

// lastLine returns the end of a log, within a bound.
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
