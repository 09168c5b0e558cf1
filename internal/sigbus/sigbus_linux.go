//go:build linux && (amd64 || arm64)

package sigbus

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// What the handler reads. It runs on the thread that faulted, which may hold locks of the Go runtime, so the handler must
// not use anything of Go's. Each thread that faults swaps length with 0; the one that gets a length above 0 writes the text.
var (
	text   *byte //nolint:unused // by the handler
	length uintptr
	pause  = syscall.NsecToTimespec(100e6) //nolint:unused // so that the thread that writes the line can finish it
)

// handlerAddress is the address of the handler for this architecture.
func handlerAddress() uintptr

// action is the kernel's struct sigaction.
type action struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// Flags of the action. The handler never returns, but amd64 requires an address to which it could return.
const (
	onStack  = 0x08000000
	restorer = 0x04000000
)

// Exit makes the process end with this line on standard error and exit code 1 if a page of a mapped file cannot be read
// or written. If several threads fault, the line is still written only once.
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

// Quiet makes the process end without the line. It is called when the process already reports why it ends.
func Quiet() { atomic.StoreUintptr(&length, 0) }
