package crypto_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/crypto"
)

// written returns the path of a fresh file that holds key(0), and its text.
func written(t *testing.T) (path, text string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key")
	if err := crypto.WriteKey(path, key(0)); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(raw)
}

func TestKeyFile_ReadsBackWhatWasWritten(t *testing.T) {
	path, _ := written(t)
	got, err := crypto.ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Seed() != key(0).Seed() {
		t.Error("another key came back")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o, want 0600", info.Mode().Perm())
	}
}

func TestKeyFile_NeverOverwrites(t *testing.T) {
	path, text := written(t)
	if err := crypto.WriteKey(path, key(1)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second write: %v, want %v", err, fs.ErrExist)
	}
	if raw, err := os.ReadFile(path); err != nil || string(raw) != text {
		t.Errorf("the first key was touched (%v)", err)
	}
}

func TestKeyFile_WriteWhereNoDirectoryIs(t *testing.T) {
	err := crypto.WriteKey(filepath.Join(t.TempDir(), "no", "key"), key(0))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want %v", err, fs.ErrNotExist)
	}
}

func TestKeyFile_EachDefectHasItsOwnError(t *testing.T) {
	_, good := written(t)
	for name, c := range map[string]struct {
		text string
		want error
		says string
	}{
		"empty":           {"", crypto.ErrNotKeyFile, "first line"},
		"something else":  {"-----BEGIN PRIVATE KEY-----\n", crypto.ErrNotKeyFile, "first line"},
		"later version":   {strings.Replace(good, "v1", "v2", 1), crypto.ErrNotKeyFile, "v1"},
		"huge":            {good + strings.Repeat("\n", 5000), crypto.ErrNotKeyFile, "4096"},
		"cut short":       {good[:len(good)-100], crypto.ErrKeyDamaged, "lines"},
		"line added":      {good + "more\n", crypto.ErrKeyDamaged, "5 lines"},
		"later cipher":    {strings.Replace(good, "none", "scrypt", 1), crypto.ErrKeyCipher, "scrypt"},
		"sealed, plainly": {strings.Replace(good, "none", "argon2id-xchacha20poly1305", 1), crypto.ErrKeyDamaged, "instead of 7"},
		"no encryption":   {strings.Replace(good, "encryption", "encoding", 1), crypto.ErrKeyDamaged, "line 2"},
		"seed renamed":    {strings.Replace(good, "seed", "sead", 1), crypto.ErrKeyDamaged, "line 3"},
		"seed short":      {strings.Replace(good, "seed: 0100", "seed: 01", 1), crypto.ErrKeyLength, "62 hex digits"},
		"seed long":       {strings.Replace(good, "seed: ", "seed: 00", 1), crypto.ErrKeyLength, "66 hex digits"},
		"seed not hex":    {strings.Replace(good, "seed: 01", "seed: zz", 1), crypto.ErrKeyDamaged, "line 3 is not hex"},
		"seed changed":    {strings.Replace(good, "seed: 01", "seed: 02", 1), crypto.ErrKeyDamaged, "belong together"},
		"public cut":      {good[:len(good)-2] + "\n", crypto.ErrKeyLength, "line 4"},
		"windows newline": {strings.ReplaceAll(good, "\n", "\r\n"), crypto.ErrNotKeyFile, "first line"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := crypto.ReadKey(path)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%q does not name the file and %q", err, c.says)
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "0000000000") {
				t.Errorf("%q is more than a line, or quotes the secret", err)
			}
		})
	}
}

func TestKeyFile_MissingSaysHowToMakeOne(t *testing.T) {
	_, err := crypto.ReadKey(filepath.Join(t.TempDir(), "absent"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "the command `keys new`") {
		t.Errorf("%v", err)
	}
}

func TestKeyFile_ADirectoryIsNotOne(t *testing.T) {
	if _, err := crypto.ReadKey(t.TempDir()); !errors.Is(err, crypto.ErrNotKeyFile) {
		t.Errorf("%v, want %v", err, crypto.ErrNotKeyFile)
	}
}

func TestKeyFile_RefusesOneThatOthersCanTouch(t *testing.T) {
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o602, 0o601, 0o644} {
		path, _ := written(t)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := crypto.ReadKey(path)
		if !errors.Is(err, crypto.ErrKeyExposed) || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: %v, want %v and the chmod that mends it", mode, err, crypto.ErrKeyExposed)
		}
	}
}
