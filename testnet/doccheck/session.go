package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// patience is how long one command may take.
const patience = time.Minute

// session is a shell that runs one command after the other.
type session struct {
	shell *exec.Cmd
	in    io.WriteCloser
	lines chan string
	mark  string
}

// open starts the shell in a folder, with another one in front of the path, as the leader of a group of processes.
func open(ctx context.Context, dir, programs string) (*session, error) {
	s := &session{shell: exec.CommandContext(ctx, "bash", "--norc"), lines: make(chan string, 64)}
	s.mark = fmt.Sprintf("end of the command %d", os.Getpid())
	s.shell.Dir = dir
	s.shell.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "NO_COLOR=1")
	s.shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if s.in, err = s.shell.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.shell.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.shell.Stderr = s.shell.Stdout
	if err := s.shell.Start(); err != nil {
		return nil, fmt.Errorf("start bash: %w", err)
	}
	go func() {
		defer close(s.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			s.lines <- scan.Text()
		}
	}()
	return s, nil
}

// run gives the shell a command and returns what it prints.
func (s *session) run(ctx context.Context, command string) (printed []string, err error) {
	if _, err := fmt.Fprintf(s.in, "%s\necho; echo '%s'\n", command, s.mark); err != nil {
		return nil, fmt.Errorf("the shell has ended: %w", err)
	}
	late := time.After(patience)
	for {
		select {
		case line, more := <-s.lines:
			if !more {
				return printed, errors.New("the shell has ended")
			}
			if line == s.mark {
				if last := len(printed) - 1; last >= 0 && printed[last] == "" {
					printed = printed[:last]
				}
				return printed, nil
			}
			printed = append(printed, strings.TrimRight(line, " "))
		case <-late:
			return printed, fmt.Errorf("it takes longer than %v", patience)
		case <-ctx.Done():
			return printed, ctx.Err()
		}
	}
}

// close ends the shell and all that it started.
func (s *session) close() {
	_ = syscall.Kill(-s.shell.Process.Pid, syscall.SIGKILL) // there may be nobody left
	for range s.lines {
	}
	_ = s.shell.Wait() // it was killed
}
