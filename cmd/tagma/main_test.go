package main

import (
	"io"
	"os"
	"testing"
)

// asTagma in the environment makes the test binary behave as tagma itself, so that tests run real processes.
const asTagma = "TAGMA_TEST_AS_TAGMA"

func TestMain(m *testing.M) {
	if os.Getenv(asTagma) == "" {
		os.Exit(m.Run())
	}
	// A child lives no longer than its test: its standard input is a pipe that the test holds open.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // any end of it is the end
		os.Exit(99)
	}()
	main()
}
