// Package sigbus ends a process with one line and exit code 1 when a file that is mapped into its memory cannot be read or
// written: its disk is full, or fails.
//
// The system says so with the signal SIGBUS, on the thread that touched the page. The runtime recovers from it in no
// goroutine that did not ask for it before, and badger's do not: it prints every goroutine, and ends with exit code 2,
// which tells whoever started a replica that a restart will not help. Nothing gentler does:
// docs/adr/0023-a-fault-on-a-mapped-file.md.
//
// The package owns the process's handler of that one signal. It decides nothing and knows no store.
package sigbus
