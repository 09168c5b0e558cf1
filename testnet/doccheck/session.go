package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// patience is how long all commands of a page may take together.
const patience = 5 * time.Minute

// session runs all steps one after the other in one shell, which begins in a given folder. The folder programs is first
// in its path, and the variable TAGMA holds the module's folder. It returns the output of each step that ended, and then
// what was printed after the last of them. The shell leads a group of processes, which ends with it.
func session(ctx context.Context, module, dir, programs string, steps []step) (printed [][]string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the page takes longer than %v", patience))
	defer cancel()
	mark := fmt.Sprintf("end of the command %d", os.Getpid())
	var script strings.Builder
	for _, st := range steps {
		fmt.Fprintf(&script, "%s\necho; echo '%s'\n", st.command, mark)
	}
	// A file is used, because a pipe would stay open until the last process has ended.
	out, err := os.Create(filepath.Join(programs, "printed"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	shell := exec.CommandContext(ctx, "bash", "--norc", "-c", script.String())
	shell.Dir, shell.Stdout, shell.Stderr = dir, out, out
	shell.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "NO_COLOR=1", "TAGMA="+module)
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start bash: %w", err)
	}
	_ = shell.Wait()                                      // the output shows how the shell ended
	_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) // there may be nobody left
	text, err := os.ReadFile(out.Name())
	if err != nil {
		return nil, err
	}
	for _, part := range strings.Split(string(text), "\n"+mark+"\n") {
		var lines []string
		for line := range strings.Lines(part) {
			lines = append(lines, strings.TrimRight(line, " \n"))
		}
		printed = append(printed, lines)
	}
	return printed, context.Cause(ctx)
}
