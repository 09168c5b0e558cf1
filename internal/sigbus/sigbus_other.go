//go:build !linux || !(amd64 || arm64)

package sigbus

// Exit leaves the signal to the Go runtime on this system.
func Exit(string) error { return nil }

// Quiet does nothing on this system.
func Quiet() {}
