package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tagma/internal/command"
)

func TestUI_BadInputIsOneLineWithTheMend(t *testing.T) {
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"leave --json and --only out": {"replay", "testdata/replay.jsonl", "--ui", "--only", "view"},
		"--ui=70000 is no port":       {"replay", "testdata/replay.jsonl", "--ui=70000"},
		"no such file":                {"replay", filepath.Join(dir, "none"), "--ui"},
		"start: --ui=-5 is no port":   {"start", "--ui=-5", "--dir", filepath.Join(dir, "net")},
		"demo: --ui=-5 is no port":    {"demo", "--ui=-5"},
		"run: --ui shows one run":     {"run", "../../scenarios/crash.toml", "../../scenarios/loss.toml", "--engine", "sim", "--ui"},
	} {
		code, stdout, stderr := run(args...)
		if code != command.Unusable || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %q, %q; want %q", args, code, stdout, stderr, want)
		}
	}
	if code, _, stderr := run("run", "../../scenarios/crash.toml", "--engine", "sim", "--seeds", "2", "--ui"); code != command.Unusable ||
		!strings.Contains(stderr, "--ui shows one run") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

// The page of a run stays open after the run, with the verdict, until the command is interrupted. The verdict
// determines the exit code.
func TestRun_ItsPageGoesOnUntilTheEnd(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := execute(ctx, []string{"run", "../../scenarios/crash.toml", "--engine", "sim", "--ui"}, writer, &stderr)
		_ = writer.Close() // nothing else is written
		ended <- code
	}()
	at := regexp.MustCompile(`goes on until Ctrl-C: (http://127\.0\.0\.1:\d+/)#token=([0-9a-f]{32})`)
	said, buffer := "", make([]byte, 4096)
	for !at.MatchString(said) {
		n, err := reader.Read(buffer)
		if said += string(buffer[:n]); err != nil {
			t.Fatalf("%v: %s%s", err, said, &stderr)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }() // the rest of the output
	found := at.FindStringSubmatch(said)
	r, err := http.NewRequestWithContext(t.Context(), "GET", found[1]+"api/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+found[2])
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), `"frame":"verdict"`) || !strings.HasSuffix(string(text), "{\"frame\":\"kept\"}\n") {
		t.Errorf("%v, the stream ends with %s", err, text[max(0, len(text)-300):])
	}
	interrupt()
	if code := <-ended; code != command.Done {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}
