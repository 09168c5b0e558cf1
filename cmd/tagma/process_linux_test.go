package main

import (
	"os/exec"
	"syscall"
)

// dieWithParent lets the kernel kill the child when the test dies, however it dies.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
