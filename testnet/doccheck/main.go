package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
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
	s, err := open(ctx, dir, programs)
	if err != nil {
		return err
	}
	defer s.close()
	for _, st := range steps {
		began := time.Now()
		got, err := s.run(ctx, st.command)
		if err != nil {
			return fmt.Errorf("line %d: %s: %w; it printed\n%s", st.line, st.command, err, strings.Join(got, "\n"))
		}
		if !matches(st.prints, got) {
			return fmt.Errorf("line %d: %s\nprints\n%s\nand the page says\n%s", st.line, st.command,
				strings.Join(got, "\n"), strings.Join(st.prints, "\n"))
		}
		fmt.Printf("line %4d  %6.1f s  %s\n", st.line, time.Since(began).Seconds(), st.command)
	}
	fmt.Printf("%s: all %d commands print what the page shows\n", page, len(steps))
	return nil
}
