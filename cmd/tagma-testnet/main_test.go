package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tagma/internal/command"
	"tagma/internal/manual"
	"tagma/testnet/local"
)

func TestMain(m *testing.M) {
	local.RunIfReplica()
	os.Exit(m.Run())
}

func run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestBadInput_IsOneLineWithTheMend(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no command":            {nil, "help"},
		"mistyped command":      {[]string{"demmo"}, "did you mean demo?"},
		"mistyped flag":         {[]string{"demo", "--keeep"}, "did you mean --keep?"},
		"argument":              {[]string{"demo", "now"}, "takes no arguments"},
		"bad value":             {[]string{"demo", "--seed", "x"}, "seed"},
		"full directory":        {[]string{"demo", "--dir", full}, "not empty"},
		"mistyped behaviour":    {[]string{"start", "--malicious", "3=equivocat"}, "did you mean equivocate?"},
		"mistyped parameter":    {[]string{"start", "--malicious", "3=equivocate,phas=commit"}, "did you mean phase?"},
		"behaviour of nobody":   {[]string{"start", "--malicious", "4=equivocate"}, "there is no replica 4"},
		"behaviour without one": {[]string{"start", "--malicious", "equivocate"}, "3=equivocate"},
		"no flood":              {[]string{"flood", "--valid", "0", "--invalid", "0"}, "at least one client"},
		"nothing to measure":    {[]string{"flood", "--ops", "0"}, "nothing to measure"},
		"behaviour's stranger":  {[]string{"start", "--malicious", "3=silent,to=9"}, "there is no replica 9"},
		"malicious twice":       {[]string{"start", "--malicious", "3=silent", "--malicious", "3=slow"}, "twice"},
		"mistyped value":        {[]string{"start", "--malicious", "3=corrupt,what=replay"}, "did you mean reply?"},
		"unknown machine":       {[]string{"start", "--machine", "vk"}, "did you mean kv?"},
		"no seeds":              {[]string{"sim", "--seeds", "0"}, "give at least 1"},
		"steps back":            {[]string{"sim", "--steps", "-1"}, "leave it out"},
		"too many simulated":    {[]string{"sim", "--replicas", "300"}, "at most 256"},
		"seed that is none":     {[]string{"sim", "--seed", "x"}, "give a whole number from 0"},
		"help for nothing":      {[]string{"help", "rnu"}, "did you mean run?"},
		"too few replicas":      {[]string{"start", "--replicas", "3"}, "at least 4"},
		"too few that crash":    {[]string{"start", "--replicas", "2", "--fault-model", "crash"}, "at least 3"},
		"unknown fault model":   {[]string{"start", "--fault-model", "gremlins"}, "crash"},
		"too many replicas":     {[]string{"start", "--replicas", "300"}, "at most 256"},
		"impossible port":       {[]string{"start", "--base-port", "65534"}, "65535"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(c.args...)
			if code != command.Unusable || stdout != "" {
				t.Errorf("exit code %d, output %q", code, stdout)
			}
			if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) {
				t.Errorf("%q is not one line with %q", stderr, c.want)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(full, "mine")); err != nil {
		t.Error("a file that was there is gone")
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%v was left behind, %v", left, err)
	}
}

// watched is an output. A test can wait until a text was written to it.
type watched struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
	return w.text.Write(b)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func TestStart_SaysHowToTalkToItAndStopsCleanly(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &watched{more: make(chan struct{}, 1)}
	done := make(chan int)
	go func() {
		done <- execute(ctx, []string{"start", "--dir", dir, "--malicious", "3=equivocate,phase=commit"}, out, io.Discard)
	}()
	deadline := time.After(time.Minute)
	for !strings.Contains(out.String(), "tagma put") {
		select {
		case <-out.more:
		case code := <-done:
			t.Fatalf("it ended with exit code %d:\n%s", code, out)
		case <-deadline:
			t.Fatalf("it only says\n%s", out)
		}
	}
	cancel()
	if code := <-done; code != command.Done {
		t.Errorf("exit code %d", code)
	}
	for _, part := range []string{filepath.Join(dir, "cluster.toml"), "malicious", "tagma status"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("%q is missing in\n%s", part, out)
		}
	}
}

func TestMan_EveryCommandHasAPageWithItsFlags(t *testing.T) { manual.Test(t, newRoot) }
