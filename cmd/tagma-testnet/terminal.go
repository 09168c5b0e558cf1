package main

import (
	"io"
	"os"

	"tagma/testnet/tell"
)

// styleFor says what may be used on an output: redrawing and colour on a terminal only, and no colour where NO_COLOR is
// set or the terminal has none.
func styleFor(w io.Writer) tell.Style {
	f, ok := w.(*os.File)
	if !ok {
		return tell.Style{}
	}
	info, err := f.Stat()
	term := os.Getenv("TERM")
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || term == "" || term == "dumb" {
		return tell.Style{}
	}
	return tell.Style{Terminal: true, Colour: os.Getenv("NO_COLOR") == ""}
}
