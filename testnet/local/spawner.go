package local

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// spawner starts processes from one operating system thread, which lives as long as the spawner: a parent-death signal
// is sent when the thread that forked ends, and Go ends threads as it likes.
type spawner struct {
	jobs chan func()
	done chan struct{}
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(s.done)
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

// start starts a command on the spawner's thread.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = dieWithParent()
	result := make(chan error)
	s.jobs <- func() { result <- cmd.Start() }
	return <-result
}

// close ends the thread. Every process must have ended before.
func (s *spawner) close() {
	close(s.jobs)
	<-s.done
}

// process is a replica's process.
type process struct {
	cmd      *exec.Cmd
	channel  *channel // held open while the replica shall live
	ended    chan struct{}
	expected bool // its end was asked for; guarded by the cluster's mutex, like paused
	paused   bool
}

// launch starts this program as the replica of a home. What it logs is appended to log.
func (s *spawner) launch(args []string, log string, first *Setup) (p *process, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program to run replicas with: %w", err)
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open a replica's log: %w", err)
	}
	defer out.Close() //nolint:errcheck // the child has its own descriptor
	read, lifeline, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open a replica's lifeline: %w", err)
	}
	defer read.Close() //nolint:errcheck // the child has its own descriptor
	answers, write, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a replica's answers: %w", err), lifeline.Close())
	}
	defer write.Close() //nolint:errcheck // the child has its own descriptor
	cmd := exec.Command(self, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = read, write, out
	if err := s.start(cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("start a replica: %w", err), lifeline.Close(), answers.Close())
	}
	return &process{cmd: cmd, channel: openChannel(pipes{answers, lifeline}, first), ended: make(chan struct{})}, nil
}
