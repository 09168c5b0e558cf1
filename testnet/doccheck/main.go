package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "doccheck: name the pages to check, such as docs/recovery.md")
		os.Exit(2)
	}
	for _, page := range os.Args[1:] {
		if err := check(ctx, page); err != nil {
			fmt.Fprintf(os.Stderr, "doccheck: %s: %v\n", page, err)
			os.Exit(1)
		}
	}
}

// check runs a page in a folder of its own.
func check(ctx context.Context, page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	steps, err := read(string(text))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "doccheck-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	programs := filepath.Join(dir, "bin")
	build := exec.CommandContext(ctx, "go", "build", "-o", programs+"/", "./cmd/...")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the programs: %w", err)
	}
	module, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	printed, err := session(ctx, module, dir, programs, steps)
	if printed == nil {
		return err
	}
	for i, st := range steps {
		switch {
		case i == len(printed)-1: // what stands behind the last command that came to its end
			return fmt.Errorf("line %d: %s\ndoes not come to an end: %w; it printed\n%s", st.line, st.command,
				cmp.Or(err, errors.New("the shell has ended")), strings.Join(printed[i], "\n"))
		case !matches(st.prints, printed[i]):
			return fmt.Errorf("line %d: %s\nprints\n%s\nand the page says\n%s", st.line, st.command,
				strings.Join(printed[i], "\n"), strings.Join(st.prints, "\n"))
		}
	}
	fmt.Printf("%s: all %d commands print what the page shows\n", page, len(steps))
	return nil
}
