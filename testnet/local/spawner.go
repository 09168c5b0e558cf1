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
	stdin    *os.File // held open while the replica shall live
	channel  *channel // nil if it takes no orders
	ended    chan struct{}
	expected bool // its end was asked for; guarded by the cluster's mutex, like paused
	paused   bool
}

// launch starts this program as the replica of a home. What it logs is appended to log. With a first order it takes
// orders, and its standard output has the answers.
func (s *spawner) launch(args []string, log string, first *setup) (p *process, err error) {
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
	cmd := exec.Command(self, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = read, out, out
	var answers *os.File
	if first != nil {
		var write *os.File
		if answers, write, err = os.Pipe(); err != nil {
			return nil, errors.Join(fmt.Errorf("open a replica's answers: %w", err), read.Close(), lifeline.Close())
		}
		cmd.Stdout = write
		defer write.Close() //nolint:errcheck // the child has its own descriptor
	}
	err = s.start(cmd)
	if err = errors.Join(err, read.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("start a replica: %w", err), lifeline.Close(), closeIf(answers))
	}
	p = &process{cmd: cmd, stdin: lifeline, ended: make(chan struct{})}
	if first != nil {
		if p.channel, err = openChannel(lifeline, *first); err != nil {
			return nil, errors.Join(err, cmd.Process.Kill(), cmd.Wait(), lifeline.Close(), answers.Close())
		}
		go p.channel.listen(answers)
	}
	return p, nil
}

func closeIf(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}
