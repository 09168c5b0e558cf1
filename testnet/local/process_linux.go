package local

import "syscall"

// dieWithParent makes the kernel kill the process when the thread that started it ends. It also keeps the terminal's
// signals from the process, because the parent program decides how it ends.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
