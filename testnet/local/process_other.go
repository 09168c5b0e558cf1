//go:build unix && !linux

package local

import "syscall"

// dieWithParent keeps the terminal's signals from the process. If the system has no parent-death signal, the process
// ends when its standard input is closed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
