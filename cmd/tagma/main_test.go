package main

import (
	"io"
	"os"
	"testing"

	"tagma/internal/machines"
	"tagma/internal/manual"
	"tagma/statemachine"
)

// asTagma in the environment makes the test binary behave as tagma itself, so that tests run real processes.
const asTagma = "TAGMA_TEST_AS_TAGMA"

func TestMain(m *testing.M) {
	if os.Getenv(asTagma) == "" {
		os.Exit(m.Run())
	}
	if how := os.Getenv(withEndless); how != "" {
		program.Machines = machines.Set{{Name: machines.KV, New: func(int) statemachine.Machine { return endless{how: how} }}}
	}
	if os.Getenv(asTagma) == "stdin" { // which the command reads itself
		main()
	}
	// A child lives no longer than its test: its standard input is a pipe that the test holds open.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the process ends with its standard input
		os.Exit(99)
	}()
	main()
}

func TestMan_EveryCommandHasAPageWithItsFlags(t *testing.T) { manual.Test(t, newRoot) }
