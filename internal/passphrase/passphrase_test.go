package passphrase

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/crypto"
)

// with is a finder with this environment, and a terminal on which these answers are typed; nil stands for no terminal.
func with(environment map[string]string, answers ...string) finder {
	return finder{
		getenv: func(name string) string { return environment[name] },
		prompt: func(string) ([]byte, error) {
			if len(answers) == 0 {
				return nil, ErrNone
			}
			next := answers[0]
			answers = answers[1:]
			return []byte(next), nil
		},
	}
}

func file(t *testing.T, text string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadKey_FindsThePassphraseInOrder(t *testing.T) {
	seed := [32]byte{1}
	sealed := filepath.Join(t.TempDir(), "key")
	if err := crypto.WriteKeyEncrypted(sealed, crypto.FromSeed(seed), []byte("secret")); err != nil {
		t.Fatal(err)
	}
	right, wrong := file(t, "secret\n", 0o600), file(t, "wrong", 0o600)
	for name, c := range map[string]struct {
		from finder
		want error
	}{
		"variable":        {with(map[string]string{Variable: "secret", FileVariable: wrong}, "wrong"), nil},
		"file":            {with(map[string]string{FileVariable: right}, "wrong"), nil},
		"windows file":    {with(map[string]string{FileVariable: file(t, "secret\r\n", 0o400)}), nil},
		"terminal":        {with(nil, "secret"), nil},
		"wrong variable":  {with(map[string]string{Variable: "wrong", FileVariable: right}, "secret"), crypto.ErrWrongPassphrase},
		"two newlines":    {with(map[string]string{FileVariable: file(t, "secret\n\n", 0o600)}), crypto.ErrWrongPassphrase},
		"nowhere":         {with(nil), ErrNone},
		"no file":         {with(map[string]string{FileVariable: "absent"}, "secret"), fs.ErrNotExist},
		"empty file":      {with(map[string]string{FileVariable: file(t, "\n", 0o600)}, "secret"), ErrEmpty},
		"file of others":  {with(map[string]string{FileVariable: file(t, "secret", 0o644)}, "secret"), ErrExposed},
		"file of a group": {with(map[string]string{FileVariable: file(t, "secret", 0o440)}), nil},
		"endless file":    {with(map[string]string{FileVariable: "/dev/zero"}, "secret"), ErrTooLong},
		"long variable":   {with(map[string]string{Variable: strings.Repeat("a", Limit+1)}), ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := c.from.readKey(sealed)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if err == nil && k.Seed() != seed {
				t.Error("another key came back")
			}
			if err != nil && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), sealed)) {
				t.Errorf("%q is more than a line, or does not name the key file", err)
			}
		})
	}
}

func TestReadKey_APlainKeyNeedsNoPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := crypto.WriteKey(path, crypto.FromSeed([32]byte{1})); err != nil {
		t.Fatal(err)
	}
	if _, err := with(map[string]string{FileVariable: "absent"}).readKey(path); err != nil {
		t.Error(err)
	}
}

func TestNew_IsAskedForTwice(t *testing.T) {
	for name, c := range map[string]struct {
		from finder
		want error
	}{
		"typed":     {with(nil, "secret", "secret"), nil},
		"given":     {with(map[string]string{Variable: "secret"}, "other"), nil},
		"mistyped":  {with(nil, "secret", "Secret"), ErrMismatch},
		"empty":     {with(nil, "", ""), ErrEmpty},
		"once":      {with(nil, "secret"), ErrNone},
		"no way to": {with(nil), ErrNone},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := c.from.choose("key")
			if !errors.Is(err, c.want) || (err == nil) != (string(found) == "secret") {
				t.Errorf("%q, %v; want %v", found, err, c.want)
			}
		})
	}
}

// The standard input of a test is not a terminal.
func TestPrompt_WithoutATerminalSaysWhatToDo(t *testing.T) {
	in, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }() // only opened
	standard := os.Stdin
	os.Stdin = in
	defer func() { os.Stdin = standard }()
	if _, err := promptTerminal("?"); !errors.Is(err, ErrNone) {
		t.Errorf("%v, want %v", err, ErrNone)
	}
}
