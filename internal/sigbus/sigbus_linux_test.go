package sigbus

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// asVictim is an environment variable that makes the test's program touch a page that no disk can provide.
const asVictim = "TAGMA_SIGBUS_VICTIM"

func TestMain(m *testing.M) {
	if how := os.Getenv(asVictim); how != "" {
		touch(how)
		os.Exit(3) // it survived
	}
	os.Exit(m.Run())
}

// touch writes to a page behind the end of a file. Several goroutines do so, and none of them asked for a panic.
func touch(how string) {
	f, err := os.CreateTemp("", "mapped")
	if err != nil {
		panic(err)
	}
	page, err := syscall.Mmap(int(f.Fd()), 0, os.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	if err := Exit("the disk is full"); err != nil {
		panic(err)
	}
	if how == "quiet" {
		Quiet()
	}
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range 4 {
		all.Go(func() {
			<-begin
			page[0] = 1
		})
	}
	close(begin)
	all.Wait()
}

// D6: if a disk fails below a memory map, the process ends with one line and exit code 1, whichever goroutine touched
// the page.
func TestD6_AFaultOnAMappedFileIsOneLine(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the runtime's own handler is used on " + runtime.GOARCH)
	}
	for how, want := range map[string]string{"told": "the disk is full\n", "quiet": ""} {
		t.Run(how, func(t *testing.T) {
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), asVictim+"="+how, "TMPDIR="+t.TempDir())
			cmd.Stderr = &stderr
			err := cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || stderr.String() != want {
				t.Errorf("it ended with %v and said %q; want exit code 1 and %q", err, stderr.String(), want)
			}
		})
	}
}
