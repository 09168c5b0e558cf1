//go:build linux && (amd64 || arm64)

package sigbus

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// What the handler reads. It runs on the thread that faulted, which may hold locks of the runtime, so it can use nothing of
// Go's. Each thread that faults swaps length for 0; the one that gets more than 0 writes the text.
var (
	text   *byte //nolint:unused // by the handler
	length uintptr
	pause  = syscall.NsecToTimespec(100e6) //nolint:unused // for another thread to finish its line
)

// handlerAddress is where the handler of this architecture begins.
func handlerAddress() uintptr

// action is the kernel's struct sigaction.
type action struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// Of flags. The handler never returns, but amd64 takes none that has nowhere to return to.
const (
	onStack  = 0x08000000
	restorer = 0x04000000
)

// Exit has the process end with this line on standard error, and exit code 1, when a page of a mapped file cannot be read or
// written. Several threads may meet one: the line is written once.
func Exit(line string) error {
	bytes := []byte(line + "\n")
	Quiet()
	text = &bytes[0]
	atomic.StoreUintptr(&length, uintptr(len(bytes)))
	at := handlerAddress()
	a := action{handler: at, flags: onStack | restorer, restorer: at, mask: ^uint64(0)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGBUS), uintptr(unsafe.Pointer(&a)),
		0, unsafe.Sizeof(a.mask), 0, 0)
	if errno != 0 {
		return fmt.Errorf("handle the signal of a disk that fails under a mapped file: %w", errno)
	}
	return nil
}

// Quiet has the process end without the line, because it says itself why it ends.
func Quiet() { atomic.StoreUintptr(&length, 0) }
