package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tagma/internal/command"
	"tagma/testnet/play"
	"tagma/testnet/play/screen"
	"tagma/testnet/report"
)

// job is a command that runs clusters in a directory of its own and prints a document about them.
type job struct {
	verb       string
	json, keep bool
	dir        string
}

// flags adds those that all of them have.
func (j *job) flags(cmd *cobra.Command) {
	j.verb = cmd.Name()
	cmd.Flags().BoolVar(&j.json, "json", false, "print the result as JSON, and progress to standard error")
	cmd.Flags().BoolVar(&j.keep, "keep", false, "leave journals, stores, logs and evidence on the disk")
	cmd.Flags().StringVar(&j.dir, "dir", "", "`directory` for the clusters' files (default a temporary one)")
}

// shown is where progress goes.
func (j *job) shown(stdout, stderr io.Writer) io.Writer {
	if j.json {
		return stderr
	}
	return stdout
}

// within has something done in the directory and clears it away, unless it is to be kept or what was done failed.
func (j *job) within(shown io.Writer, do func(dir string) error) error {
	dir, remove, err := workDir(j.verb, j.dir)
	if err != nil {
		return err
	}
	if err = os.MkdirAll(dir, 0o755); err == nil {
		err = do(dir)
	}
	failed := errors.Is(err, command.ErrTold)
	if (j.keep || failed) && holdsFiles(dir) {
		_, _ = fmt.Fprintf(shown, "\njournals, stores, logs and evidence are in %s\n", dir)
	} else if gone := remove(); gone != nil {
		err = errors.Join(err, gone)
	}
	if err != nil && !failed {
		return fmt.Errorf("%s: %w", j.verb, err)
	}
	return err
}

// tell prints a document, in words unless JSON is asked for. It is command.ErrTold if what it tells is not good.
func (j *job) tell(stdout io.Writer, document any, good bool, words func() error) (err error) {
	if j.json {
		err = command.PrintJSON(stdout, document)
	} else {
		err = words()
	}
	if err == nil && !good {
		return command.ErrTold
	}
	return err
}

// workDir is the directory for a command to work in, and what removes it: only what was not there before.
func workDir(verb, dir string) (path string, remove func() error, err error) {
	if dir == "" {
		dir, err = os.MkdirTemp("", "tagma-"+verb+"-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(dir)
	switch {
	case os.IsNotExist(err):
		return dir, func() error { return os.RemoveAll(dir) }, nil
	case err != nil:
		return "", nil, command.Unusablef("%s: %w", verb, err)
	case len(entries) > 0:
		return "", nil, command.Unusablef("%s: %s is not empty; name another directory or empty it", verb, dir)
	}
	return dir, func() error { return emptyDir(dir) }, nil
}

func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// holdsFiles reports whether there is any file below a directory: simulated runs leave none.
func holdsFiles(dir string) bool {
	found := false
	// What cannot be read is not promised.
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

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
