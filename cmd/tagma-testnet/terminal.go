package main

import (
	"io"
	"os"

	"tagma/testnet/play"
	"tagma/testnet/play/screen"
	"tagma/testnet/report"
)

// showOn shows a run of a title: on a terminal as a picture that is redrawn, elsewhere in lines. End takes the picture away.
func showOn(w io.Writer, title string) (show play.Show, end func()) {
	style := styleFor(w)
	if style.Terminal {
		live := screen.NewLive(w, title, style)
		return live, live.Close
	}
	return screen.NewPlain(w, style), func() {}
}

// styleFor says what may be used on an output: redrawing and colour on a terminal only, and no colour where NO_COLOR is
// set or the terminal has none.
func styleFor(w io.Writer) report.Style {
	f, ok := w.(*os.File)
	if !ok {
		return report.Style{}
	}
	info, err := f.Stat()
	term := os.Getenv("TERM")
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || term == "" || term == "dumb" {
		return report.Style{}
	}
	return report.Style{Terminal: true, Colour: os.Getenv("NO_COLOR") == ""}
}
