//go:build unix && !linux

package local

import "syscall"

// dieWithParent keeps the terminal's signals from the process. Where the system offers no parent-death signal, the end
// of its standard input ends it.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
