package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processes are the servers of a system, on this machine.
type processes []*exec.Cmd

// launch starts a program whose output goes to a file.
func (p *processes) launch(log, program string, args ...string) error {
	file, err := os.Create(log)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // the child has its own
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	*p = append(*p, cmd)
	return nil
}

// stop ends all of them.
func (p processes) stop() {
	for _, cmd := range p {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	}
	for _, cmd := range p {
		end := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // however it ended
		end.Stop()
	}
}

// tick is the unit in which the kernel counts processor time.
const tick = 10 * time.Millisecond

// used reads from the kernel what the processes used; 0 where the kernel offers no such file.
func (p processes) used() (cpu time.Duration, resident int64) {
	for _, cmd := range p {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		if err != nil {
			return 0, 0
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		fields := strings.Fields(rest) // of the file, from its third, the process's state, on
		for _, i := range []int{11, 12} {
			n, _ := strconv.Atoi(fields[i])
			cpu += time.Duration(n) * tick
		}
		pages, _ := strconv.ParseInt(fields[21], 10, 64)
		resident = max(resident, pages*int64(os.Getpagesize()))
	}
	return cpu, resident
}

// freePorts are ports on which nobody listens at the moment; other programs may still take them.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// until asks again and again whether something holds.
func until(ctx context.Context, what string, holds func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	next := time.NewTicker(100 * time.Millisecond)
	defer next.Stop()
	for {
		err := holds(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		}
	}
}
