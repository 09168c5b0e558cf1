package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"tagma/testnet/mutants"
)

// test has one test judge a mutant: it must fail with it, and pass without.
func (o *order) test(ctx context.Context, r *result, m *mutants.Mutant, sound, dir, overlay string) {
	with, err := o.tested(ctx, m, sound, filepath.Join(dir, "mutant.test"), "-overlay", overlay)
	if err != nil {
		r.Trouble = err.Error()
		return
	}
	r.Runs, r.Seconds = 1, with.seconds
	switch {
	case with.passed:
		return
	case !with.failed:
		r.Trouble = m.Expect + " neither passes nor fails: " + shortened(with.says)
		return
	}
	without, err := o.tested(ctx, m, sound, filepath.Join(dir, "sound.test"))
	switch {
	case err != nil:
		r.Trouble = fmt.Sprintf("the same test without it: %v", err)
	case !without.passed:
		r.Trouble = m.Expect + " does not pass without it: " + shortened(without.says)
	default:
		r.Caught, r.By, r.Finding = true, m.Expect, with.says
	}
}

// tested is what a test came to.
type tested struct {
	passed, failed bool   // neither: it was skipped, is not there, or the process ended before it was over
	says           string // the first line of what it complains about, or the last line of all
	seconds        float64
}

// tested builds the tests of the mutant's package and runs the one that it names.
func (o *order) tested(ctx context.Context, m *mutants.Mutant, source, to string, flags ...string) (t tested, err error) {
	folder := m.Flags[0]
	args := append([]string{"test"}, flags...)
	if out, err := compile(ctx, source, append(args, "-c", "-o", to, folder)); err != nil {
		return t, fmt.Errorf("its tests do not build: %w\n%s", err, out)
	}
	limited, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	cmd := exec.CommandContext(limited, to, "-test.v", "-test.run=^"+m.Expect+"$")
	cmd.Dir = filepath.Join(source, folder)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if s := cmd.ProcessState; s != nil {
		t.seconds = (s.UserTime() + s.SystemTime()).Seconds()
	}
	var ended *exec.ExitError
	switch {
	case errors.Is(limited.Err(), context.DeadlineExceeded):
		return t, fmt.Errorf("%s is not over after %v", m.Expect, o.limit)
	case err != nil && !errors.As(err, &ended):
		return t, fmt.Errorf("run %s: %w", m.Expect, err)
	}
	t.read(m.Expect, string(out))
	t.passed = t.passed && err == nil
	return t, nil
}

var complaint = regexp.MustCompile(`(?m)^(?: +\w+_test\.go:\d+: |panic: )(.+)$`)

// read takes what a test program printed.
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
