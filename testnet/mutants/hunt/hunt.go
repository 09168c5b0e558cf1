package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/testnet/mutants"
)

// hunt hunts the mutants of a list, up to o.jobs at once, and returns a result for each, in the order of the list.
func (o *order) hunt(ctx context.Context, list []mutants.Mutant, progress io.Writer) ([]*result, error) {
	dir, err := os.MkdirTemp("", "tagma-mutants-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for what is built: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if slices.ContainsFunc(list, func(m mutants.Mutant) bool { return m.Hunter != mutants.Test }) {
		if err := o.build(ctx, filepath.Join(dir, sound)); err != nil {
			return nil, fmt.Errorf("build the hunter without any mutant: %w", err)
		}
	}
	all := make([]*result, len(list))
	var lock sync.Mutex // of progress
	var group errgroup.Group
	group.SetLimit(o.jobs)
	for i := range list {
		group.Go(func() error {
			all[i] = o.one(ctx, &list[i], dir)
			lock.Lock()
			defer lock.Unlock()
			_, _ = fmt.Fprintln(progress, all[i].line())
			return nil
		})
	}
	if _ = group.Wait(); ctx.Err() != nil { // each result holds its own error
		return nil, errors.New("interrupted")
	}
	return all, nil
}

// sound is the name of the hunting program that is built from the unchanged source.
const sound = "sound"

// one hunts one mutant. The program or tests that hunt are built with the mutant's files in place of the source's. A run
// that finds the mutant must find nothing in the program without it. Otherwise the finding says nothing about the
// mutant.
func (o *order) one(ctx context.Context, m *mutants.Mutant, dir string) *result {
	r := &result{Name: m.Name, What: m.What, Hunter: string(m.Hunter)}
	hunter := o.search
	if m.Hunter == mutants.Test {
		hunter = o.test
	}
	overlay, err := m.Overlay(o.source, dir, nil)
	if err == nil {
		err = hunter(ctx, r, m, dir, overlay)
	}
	if err != nil {
		r.Caught, r.Trouble = false, err.Error()
	}
	return r
}

// search hunts a mutant with the simulator or the explorer.
func (o *order) search(ctx context.Context, r *result, m *mutants.Mutant, dir, overlay string) error {
	program := filepath.Join(dir, m.Name)
	defer func() { _ = os.Remove(program) }()
	if err := o.build(ctx, program, "-overlay", overlay); err != nil {
		return fmt.Errorf("it does not build: %w", err)
	}
	args := append([]string{string(m.Hunter)}, m.Flags...)
	if o.seeds > 0 && m.Hunter == mutants.Sim {
		args = append(args, fmt.Sprint("--seeds=", o.seeds))
	}
	h, took, err := o.run(ctx, program, args)
	r.Seconds = took
	if err != nil {
		return err
	}
	r.hunterResult, r.Caught = *h, h.By != ""
	r.Unexpected = r.Caught && !slices.Contains(m.Expect, h.By)
	if !r.Caught || m.Hunter != mutants.Sim {
		return nil
	}
	h, _, err = o.run(ctx, filepath.Join(dir, sound), append(args, fmt.Sprint("--seed=", r.Seed), "--seeds=1"))
	switch {
	case err != nil:
		return fmt.Errorf("the same run without it: %w", err)
	case h.By != "":
		return fmt.Errorf("%s finds the same seed %d guilty without it: %s", h.By, r.Seed, h.Finding)
	}
	return nil
}

// build compiles the hunting program.
func (o *order) build(ctx context.Context, to string, flags ...string) error {
	args := append([]string{"build"}, flags...)
	return o.compile(ctx, append(args, "-ldflags=-s -w", "-o", to, "./testnet/mutants/hunt"))
}

func (o *order) compile(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = o.source
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// run runs a hunting program, and returns what it found and the seconds of processor time that it took.
func (o *order) run(ctx context.Context, hunter string, args []string) (*hunterResult, float64, error) {
	out, took, err := o.limited(ctx, o.source, hunter, append([]string{insideWord}, args...))
	if err != nil {
		return nil, took, fmt.Errorf("the hunter: %w: %s", err, shortened(string(out)))
	}
	h := new(hunterResult)
	if err := json.Unmarshal(out, h); err != nil {
		return nil, took, fmt.Errorf("what the hunter found: %w", err)
	}
	return h, took, nil
}

// limited runs a program for at most the time of one hunt. If the program fails, it returns the text of both outputs.
func (o *order) limited(ctx context.Context, dir, program string, args []string) ([]byte, float64, error) {
	limited, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, program, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	took := 0.0
	if s := cmd.ProcessState; s != nil {
		took = (s.UserTime() + s.SystemTime()).Seconds()
	}
	switch {
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return nil, took, fmt.Errorf("not over after %v", o.limit)
	case err != nil:
		return append(stderr.Bytes(), stdout.Bytes()...), took, err
	}
	return stdout.Bytes(), took, nil
}
