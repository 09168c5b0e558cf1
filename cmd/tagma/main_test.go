package main

import (
	"io"
	"os"
	"testing"

	"tagma/internal/machines"
	"tagma/internal/manual"
	"tagma/statemachine"
)

// asTagma is an environment variable with which the test binary behaves as tagma itself. So tests can run real
// processes.
const asTagma = "TAGMA_TEST_AS_TAGMA"

func TestMain(m *testing.M) {
	if os.Getenv(asTagma) == "" {
		os.Exit(m.Run())
	}
	if how := os.Getenv(withEndless); how != "" {
		program.Machines = machines.Set{{Name: machines.KV, New: func(machines.History) statemachine.Machine { return endless{how: how} }}}
	}
	if os.Getenv(asTagma) == "stdin" { // which the command reads itself
		main()
	}
	// A child process ends when its test does: its standard input is a pipe that the test process keeps open.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the process ends when its standard input is closed
		os.Exit(99)
	}()
	main()
}

func TestMan_EveryCommandHasAPageWithItsFlags(t *testing.T) { manual.Test(t, newRoot) }
