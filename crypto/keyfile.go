package crypto

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The ways in which a file that exists is not a usable key file.
var (
	ErrNotKeyFile   = errors.New("not a tagma key file")
	ErrKeyLength    = errors.New("key of the wrong length")
	ErrKeyDamaged   = errors.New("damaged key file")
	ErrKeyExposed   = errors.New("key file that others can read")
	ErrKeyCipher    = errors.New("encryption this version cannot read")
	ErrKeyEncrypted = errors.New("key encrypted under a passphrase")

	// ErrWrongPassphrase says that the passphrase does not open the key: it is another one, or the file was changed,
	// which nobody can tell apart.
	ErrWrongPassphrase = errors.New("wrong passphrase, or a changed key file")
	// ErrNoPassphrase says that a key cannot be sealed under nothing.
	ErrNoPassphrase = errors.New("empty passphrase")
)

// keyFileLimit bounds what is read of a file that may be anything.
const keyFileLimit = 4096

// WriteKey creates the file path, readable by its owner only, and returns when it is on disk. It never overwrites, since a
// lost key is a lost member: for a file that exists the error wraps fs.ErrExist.
func WriteKey(path string, k *PrivateKey) error {
	return writeKeyFile(path, encodeKey(k))
}

// WriteKeyEncrypted is WriteKey for a key that only the passphrase opens. It takes about a tenth of a second and 64 MiB
// of memory, and so does opening the file, which is what makes guessing dear.
func WriteKeyEncrypted(path string, k *PrivateKey, passphrase []byte) error {
	text, err := sealKey(k, passphrase, defaultCost, nil)
	if err != nil {
		return fmt.Errorf("write key %s: %w", path, err)
	}
	return writeKeyFile(path, text)
}

func writeKeyFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write key %s: %w; move the old key away first, or choose another path", path, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		// Half a key must not stand in the way of the next attempt.
		return errors.Join(fmt.Errorf("write key %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// syncDir makes a new directory entry durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// ReadKey reads a file that WriteKey made. It refuses one that its owner's group or others may touch: a copied key is
// a Byzantine replica. An encrypted key is an ErrKeyEncrypted.
func ReadKey(path string) (*PrivateKey, error) { return ReadKeyWith(path, nil) }

// ReadKeyWith is ReadKey for a file that may be encrypted. The passphrase is asked for only if it is, after everything
// else about the file was found right, and is erased when it was used.
func ReadKeyWith(path string, passphrase func() ([]byte, error)) (*PrivateKey, error) {
	file, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	if file.sealed != nil && passphrase == nil {
		return nil, fmt.Errorf("read key %s: %w; put it into TAGMA_PASSPHRASE, or into a file that TAGMA_PASSPHRASE_FILE names",
			path, ErrKeyEncrypted)
	}
	return file.open(path, passphrase)
}

// ParseKey reads the content of a key file. The passphrase is for one that is encrypted, and is kept as it is.
func ParseKey(text, passphrase []byte) (*PrivateKey, error) {
	file, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if file.sealed != nil && len(passphrase) == 0 {
		return nil, fmt.Errorf("read key: %w; give it", ErrKeyEncrypted)
	}
	return file.open("in memory", func() ([]byte, error) { return bytes.Clone(passphrase), nil })
}

// open returns the key, for which it asks for the passphrase if it must. Name is what errors call the file.
func (f keyFile) open(name string, passphrase func() ([]byte, error)) (*PrivateKey, error) {
	if f.sealed == nil {
		return f.key, nil
	}
	secret, err := passphrase()
	if err != nil {
		return nil, fmt.Errorf("read key %s, which is encrypted: %w", name, err)
	}
	defer clear(secret)
	k, err := f.sealed.open(secret)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", name, err)
	}
	return k, nil
}

// PublicPart is what a key file says in clear.
type PublicPart struct {
	Key       [32]byte // unproven if the key is encrypted: only the passphrase shows that it is the private key's
	Encrypted bool
}

// ReadPublic reads the public half of a key file, for which no passphrase is needed.
func ReadPublic(path string) (PublicPart, error) {
	file, err := readKeyFile(path)
	if err != nil {
		return PublicPart{}, err
	}
	if file.sealed != nil {
		return PublicPart{Key: file.sealed.public, Encrypted: true}, nil
	}
	return PublicPart{Key: file.key.Public()}, nil
}

// readKeyFile reads and checks a file of either kind.
func readKeyFile(path string) (keyFile, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keyFile{}, fmt.Errorf("read key %s: %w; make one with the command `keys new`, or name the right path", path, fs.ErrNotExist)
	}
	if err != nil {
		return keyFile{}, fmt.Errorf("read key: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from: closing it cannot lose anything

	// The open file is asked, not the path, so that both questions are about the same file.
	info, err := f.Stat()
	if err != nil {
		return keyFile{}, fmt.Errorf("read key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return keyFile{}, fmt.Errorf("read key %s: %w: it is no regular file", path, ErrNotKeyFile)
	}
	text, err := io.ReadAll(io.LimitReader(f, keyFileLimit+1))
	if err != nil {
		return keyFile{}, fmt.Errorf("read key: %w", err)
	}
	file, err := decodeKey(text)
	if err != nil { // before its mode: what is no key may be read by anybody
		return keyFile{}, fmt.Errorf("read key %s: %w", path, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return keyFile{}, fmt.Errorf("read key %s: %w (mode %04o); mend it with: chmod 600 %s", path, ErrKeyExposed, mode, path)
	}
	return file, nil
}
