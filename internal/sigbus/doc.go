// Package sigbus ends a process with one line and exit code 1 when a file that is mapped into its memory cannot be read
// or written because its disk is full or fails.
//
// The system reports this by the signal SIGBUS, on the thread that touched the page. The Go runtime turns it into a
// recoverable panic only for goroutines that asked for it, which badger's do not. By default it prints every goroutine
// and ends with exit code 2, which would tell whatever started the replica that a restart will not help.
// docs/adr/0023-a-fault-on-a-mapped-file.md says why there is no gentler way.
//
// The package owns the process's handler of this one signal. It decides nothing and does not know the store.
package sigbus
