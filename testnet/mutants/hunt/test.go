package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"tagma/testnet/mutants"
)

// test hunts a mutant with one test, which must fail with the mutant and pass without it.
func (o *order) test(ctx context.Context, r *result, m *mutants.Mutant, dir, overlay string) error {
	name := m.Expect[0]
	with, err := o.tested(ctx, m, filepath.Join(dir, m.Name+".test"), "-overlay", overlay)
	if err != nil {
		return err
	}
	r.Runs, r.Seconds = 1, with.seconds
	switch {
	case with.passed:
		return nil
	case !with.failed:
		return fmt.Errorf("%s neither passes nor fails: %s", name, shortened(with.says))
	}
	without, err := o.tested(ctx, m, filepath.Join(dir, m.Name+".sound.test"))
	switch {
	case err != nil:
		return fmt.Errorf("the same test without it: %w", err)
	case !without.passed:
		return fmt.Errorf("%s does not pass without it: %s", name, shortened(without.says))
	}
	r.Caught, r.By, r.Finding = true, name, with.says
	return nil
}

// tested is the result of a test.
type tested struct {
	passed, failed bool   // both false: it was skipped or is not there, or the process ended before the test
	says           string // the first line of the test's complaint, or else the last line of output
	seconds        float64
}

// tested builds the tests of the mutant's package and runs the one that it names.
func (o *order) tested(ctx context.Context, m *mutants.Mutant, program string, flags ...string) (t tested, err error) {
	defer func() { _ = os.Remove(program) }()
	name, args := m.Expect[0], append([]string{"test"}, flags...)
	if err := o.compile(ctx, append(args, "-c", "-o", program, m.Flags[0])); err != nil {
		return t, fmt.Errorf("its tests do not build: %w", err)
	}
	out, took, err := o.limited(ctx, filepath.Join(o.source, m.Flags[0]), program, []string{"-test.v", "-test.run=^" + name + "$"})
	t.seconds = took
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		return t, fmt.Errorf("run %s: %w", name, err)
	}
	t.read(name, string(out))
	t.passed = t.passed && err == nil
	return t, nil
}

var complaint = regexp.MustCompile(`(?m)^(?: +\w+_test\.go:\d+: |panic: )(.+)$`)

// read finds the result in the output of a test program.
func (t *tested) read(name, out string) {
	result := regexp.MustCompile(`(?m)^--- (PASS|FAIL): ` + name + ` `).FindStringSubmatch(out)
	t.passed = result != nil && result[1] == "PASS"
	t.failed = result != nil && result[1] == "FAIL"
	if found := complaint.FindStringSubmatch(out); found != nil {
		t.says = found[1]
		return
	}
	out = strings.TrimSpace(out)
	t.says = out[strings.LastIndex(out, "\n")+1:]
}
