package crypto_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/crypto"
)

// encrypted returns the path of a fresh file that holds key(0) under the passphrase "secret".
func encrypted(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := crypto.WriteKeyEncrypted(path, key(0), []byte("secret")); err != nil {
		t.Fatal(err)
	}
	return path
}

func says(passphrase string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(passphrase), nil }
}

func TestKeyFile_AnEncryptedKeyNeedsItsPassphrase(t *testing.T) {
	path := encrypted(t)
	got, err := crypto.ReadKeyWith(path, says("secret"))
	if err != nil || got.Seed() != key(0).Seed() {
		t.Errorf("another key came back (%v)", err)
	}
	_, err = crypto.ReadKeyWith(path, says("Secret"))
	if !errors.Is(err, crypto.ErrWrongPassphrase) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want one line with %v and the path", err, crypto.ErrWrongPassphrase)
	}
	_, err = crypto.ReadKey(path)
	if !errors.Is(err, crypto.ErrKeyEncrypted) || !strings.Contains(err.Error(), "TAGMA_PASSPHRASE") {
		t.Errorf("%v, want %v and the mend", err, crypto.ErrKeyEncrypted)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o, want 0600", info.Mode().Perm())
	}
}

func TestKeyFile_ThePassphraseIsErasedAfterUse(t *testing.T) {
	secret := []byte("secret")
	if _, err := crypto.ReadKeyWith(encrypted(t), func() ([]byte, error) { return secret, nil }); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(secret, make([]byte, len("secret"))) {
		t.Errorf("it still reads %q", secret)
	}
}

func TestKeyFile_APlainKeyAsksForNothing(t *testing.T) {
	path, _ := written(t)
	asked := func() ([]byte, error) {
		t.Error("the passphrase of a plain key was asked for")
		return nil, nil
	}
	if _, err := crypto.ReadKeyWith(path, asked); err != nil {
		t.Error(err)
	}
}

func TestKeyFile_NoPassphraseIsReported(t *testing.T) {
	none := errors.New("nobody there")
	_, err := crypto.ReadKeyWith(encrypted(t), func() ([]byte, error) { return nil, none })
	if !errors.Is(err, none) {
		t.Errorf("%v, want %v", err, none)
	}
}

func TestKeyFile_AnEmptyPassphraseSealsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := crypto.WriteKeyEncrypted(path, key(0), nil); !errors.Is(err, crypto.ErrNoPassphrase) {
		t.Errorf("%v, want %v", err, crypto.ErrNoPassphrase)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made (%v)", err)
	}
}

func TestKeyFile_ThePublicHalfNeedsNoPassphrase(t *testing.T) {
	plain, _ := written(t)
	for path, want := range map[string]crypto.PublicPart{
		plain:        {Key: key(0).Public()},
		encrypted(t): {Key: key(0).Public(), Encrypted: true},
	} {
		if got, err := crypto.ReadPublic(path); err != nil || got != want {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	if _, err := crypto.ReadPublic(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want %v", err, fs.ErrNotExist)
	}
}

func TestParseKey_ReadsWhatAFileHolds(t *testing.T) {
	path, _ := written(t)
	k := key(0)
	sealed := filepath.Join(t.TempDir(), "sealed")
	if err := crypto.WriteKeyEncrypted(sealed, k, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	plainText, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sealedText, err := os.ReadFile(sealed)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("secret")
	for name, c := range map[string]struct {
		text, passphrase []byte
		want             error
	}{
		"plain": {plainText, nil, nil}, "sealed": {sealedText, secret, nil},
		"sealed, and no passphrase": {sealedText, nil, crypto.ErrKeyEncrypted},
		"another passphrase":        {sealedText, []byte("other"), crypto.ErrWrongPassphrase},
		"no key":                    {[]byte("x"), nil, crypto.ErrNotKeyFile},
	} {
		got, err := crypto.ParseKey(c.text, c.passphrase)
		if !errors.Is(err, c.want) || err == nil && got.Public() != k.Public() {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if string(secret) != "secret" {
		t.Error("the caller's passphrase was erased")
	}
}
