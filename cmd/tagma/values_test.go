package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/statemachine/kv"
)

// Values with all bytes and of all sizes are put from a file or a pipe, and are read back unchanged.
func TestValues_GoInAndComeOutByteForByte(t *testing.T) {
	runCluster(t, "kv", nil)
	dir := t.TempDir()
	for name, value := range map[string][]byte{
		"empty": {}, "newline": []byte("\n"), "zero": {0}, "largest": random(t, kv.MaxValueBytes),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, value, 0o600); err != nil {
			t.Fatal(err)
		}
		must(t, "put", name, "--value-file", file)
		if out := must(t, "get", name, "--raw"); out != string(value) {
			t.Errorf("%s from a file: %d bytes come out of %d", name, len(out), len(value))
		}
		must(t, "delete", name)
		cmd := exec.CommandContext(t.Context(), os.Args[0], "put", name, "-")
		cmd.Env = append(os.Environ(), asTagma+"=stdin")
		cmd.Stdin = bytes.NewReader(value)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s from a pipe: %v %s", name, err, out)
		}
		if out := must(t, "get", name, "--raw"); out != string(value) {
			t.Errorf("%s from a pipe: %d bytes come out of %d", name, len(out), len(value))
		}
	}
	large := filepath.Join(dir, "too large")
	if err := os.WriteFile(large, make([]byte, kv.MaxValueBytes+1), 0o600); err != nil {
		t.Fatal(err)
	}
	badInput{[]string{"put", "k", "--value-file", large}, command.Unusable, "holds more than the 131072 bytes"}.check(t)
	badInput{[]string{"put", "k", "--value-file", filepath.Join(dir, "none")}, command.Unusable, "no such file"}.check(t)
	badInput{[]string{"put", "k", "v", "--value-file", large}, command.Unusable, "put takes KEY"}.check(t)
	badInput{[]string{"get", "k", "--raw", "--prefix"}, command.Unusable, "leave --prefix and --json out"}.check(t)
}

// With --json, a failure is one document that has a code, and the exit code tells the kind of the failure.
func TestJSON_EveryFailureIsOneDocumentWithACode(t *testing.T) {
	dir := t.TempDir()
	runCluster(t, "kv", nil)
	for _, c := range []struct {
		args []string
		exit int
		code string
	}{
		{[]string{"get", "nothing", "--json"}, command.Missing, "not-found"},
		{[]string{"get", "k", "--json", "--at", "99999999"}, command.Failed, "not-executed"},
		{[]string{"put", "k", "--json"}, command.Unusable, "unusable"},
		{[]string{"put", "k", "v", "--json", "--tiemout", "1s"}, command.Unusable, "unusable"},
		{[]string{"putt", "--json"}, command.Unusable, "unusable"},
		{[]string{"put", "k", "v", "--json", "--cluster", filepath.Join(dir, "none")}, command.Unusable, "unusable"},
		{[]string{"put", strings.Repeat("k", 2000), "v", "--json"}, command.Unusable, "unusable"},
	} {
		o := tagma(t, c.args...)
		var f struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(o.stdout), &f); err != nil || o.code != c.exit || f.Error.Code != c.code || f.Error.Message == "" {
			t.Errorf("%.200s: want %d and %s, %v", o, c.exit, c.code, err)
		}
		if len(f.Error.Message) > 400 {
			t.Errorf("an error of %d bytes", len(f.Error.Message))
		}
	}
	if o := tagma(t, "get", "nothing"); o.code != command.Missing || o.stdout != "" || strings.Count(o.stderr, "\n") != 1 {
		t.Error(o)
	}
}

func random(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}
