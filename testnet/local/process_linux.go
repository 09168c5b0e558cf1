package local

import "syscall"

// dieWithParent kills the process when the thread that started it ends, and keeps the terminal's signals from it: the
// launcher decides how it ends.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
