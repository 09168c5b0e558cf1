package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel kill the child process when the test process ends for any reason.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
