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

	"tagma/testnet/mutants"
)

// needed are the folders that the hunter is built from.
var needed = []string{"pbft", "crypto", "network", "statemachine", "checkpoint", "internal", "testnet"}

// hunt hunts mutants, some at once, and returns what became of each, in their order.
func (o *order) hunt(ctx context.Context, list []mutants.Mutant, progress io.Writer) ([]*result, error) {
	dir, err := os.MkdirTemp("", "tagma-mutants-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the copies: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// What is hunted is one state of the source, though it may be edited meanwhile.
	sound := filepath.Join(dir, "sound")
	if err := mutants.Copy(o.source, sound, needed...); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(list, func(m mutants.Mutant) bool { return m.Hunter != mutants.Test }) {
		if out, err := build(ctx, sound, filepath.Join(sound, program)); err != nil {
			return nil, fmt.Errorf("build the hunter without any mutant: %w\n%s", err, out)
		}
	}
	all := make([]*result, len(list))
	var lock sync.Mutex // of progress
	var group sync.WaitGroup
	next := make(chan int)
	for range o.jobs {
		group.Go(func() {
			for i := range next {
				r := o.one(ctx, &list[i], sound, filepath.Join(dir, list[i].Name))
				all[i] = r
				lock.Lock()
				_, _ = fmt.Fprintln(progress, r.line())
				lock.Unlock()
			}
		})
	}
	for i := range list {
		next <- i
	}
	close(next)
	group.Wait()
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	return all, nil
}

// one hunts one mutant. Only the files that it changes are copied again, and laid over the sound source: what they do not
// concern is not built twice.
func (o *order) one(ctx context.Context, m *mutants.Mutant, sound, dir string) *result {
	r := &result{Name: m.Name, What: m.What, Hunter: string(m.Hunter)}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := mutate(m, sound, dir)
	if err != nil {
		r.Trouble = err.Error()
		return r
	}
	if m.Hunter == mutants.Test {
		o.test(ctx, r, m, sound, dir, overlay)
		return r
	}
	hunter := filepath.Join(dir, program)
	if out, err := build(ctx, sound, hunter, "-overlay", overlay); err != nil {
		r.Trouble = fmt.Sprintf("it does not build: %v\n%s", err, out)
		return r
	}
	args := append([]string{string(m.Hunter)}, m.Flags...)
	if o.seeds > 0 && m.Hunter == mutants.Sim {
		args = append(args, fmt.Sprint("--seeds=", o.seeds))
	}
	h, took, err := o.run(ctx, hunter, sound, args)
	r.Seconds = took
	if err != nil {
		r.Trouble = err.Error()
		return r
	}
	r.Plan = h.Plan
	r.judge(m, h)
	if r.Caught && m.Hunter == mutants.Sim {
		o.control(ctx, r, sound, append(args, fmt.Sprint("--seed=", r.Seed), "--seeds=1"))
	}
	return r
}

// control runs what caught a mutant without it: there everything must hold, or the finding says nothing about the mutant.
func (o *order) control(ctx context.Context, r *result, sound string, args []string) {
	h, _, err := o.run(ctx, filepath.Join(sound, program), sound, args)
	switch {
	case err != nil:
		r.Caught, r.Trouble = false, fmt.Sprintf("the same run without it: %v", err)
	case h.By != "":
		r.Caught, r.Trouble = false, fmt.Sprintf("%s finds the same seed %d guilty without it: %s", h.By, r.Seed, h.Finding)
	}
}

// program is the hunter's name in a copy.
const program = "hunter"

// mutate applies a mutant to copies of the files that it changes, and returns the file that tells the compiler of them.
func mutate(m *mutants.Mutant, sound, dir string) (string, error) {
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for _, e := range m.Edits {
		if err := mutants.Copy(sound, dir, e.File); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(sound, e.File)] = filepath.Join(dir, e.File)
	}
	if err := m.Apply(dir); err != nil {
		return "", err
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o600)
}

// build makes a hunter of the source in a folder.
func build(ctx context.Context, source, to string, flags ...string) ([]byte, error) {
	args := append([]string{"build"}, flags...)
	return compile(ctx, source, append(args, "-ldflags=-s -w", "-o", to, "./testnet/mutants/hunt"))
}

// compile runs the compiler in a folder. Paths are left out of what it makes, so that copies of one source share what
// was compiled before.
func compile(ctx context.Context, source string, args []string) ([]byte, error) {
	args = append([]string{args[0], "-trimpath"}, args[1:]...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = source
	return cmd.CombinedOutput()
}

// run has a hunter hunt, and returns its haul and the seconds of processor time that it took.
func (o *order) run(ctx context.Context, hunter, source string, args []string) (*haul, float64, error) {
	limited, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, hunter, append([]string{insideWord}, args...)...)
	cmd.Dir = source
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
		return nil, took, fmt.Errorf("survives for %v", o.limit)
	case err != nil:
		return nil, took, fmt.Errorf("the hunter: %w: %s", err, shortened(stderr.String()))
	}
	h := new(haul)
	if err := json.Unmarshal(stdout.Bytes(), h); err != nil {
		return nil, took, fmt.Errorf("what the hunter found: %w", err)
	}
	return h, took, nil
}
