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

// The reasons for which an existing file is not a usable key file.
var (
	ErrNotKeyFile   = errors.New("not a tagma key file")
	ErrKeyLength    = errors.New("key of the wrong length")
	ErrKeyDamaged   = errors.New("damaged key file")
	ErrKeyExposed   = errors.New("key file that others can read")
	ErrKeyCipher    = errors.New("encryption this version cannot read")
	ErrKeyEncrypted = errors.New("key encrypted under a passphrase")

	// ErrWrongPassphrase says that the passphrase does not open the key. Either the passphrase is wrong or the file was
	// changed; the two cannot be told apart.
	ErrWrongPassphrase = errors.New("wrong passphrase, or a changed key file")
	// ErrNoPassphrase says that a key cannot be encrypted with an empty passphrase.
	ErrNoPassphrase = errors.New("empty passphrase")
)

// keyFileLimit bounds how many bytes of a file are read, because the user may name any file.
const keyFileLimit = 4096

// WriteKey creates the file path, readable by its owner only, and returns once it is durable. It never overwrites a
// file, since a lost key is a lost member: if the file exists, the error wraps fs.ErrExist.
func WriteKey(path string, k *PrivateKey) error {
	return writeKeyFile(path, encodeKey(k))
}

// WriteKeyEncrypted is WriteKey for a key that only the passphrase opens. Writing and opening the file each take about
// a tenth of a second and 64 MiB of memory, so that guessing a passphrase is expensive.
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
		// A half-written key must not keep the next attempt from creating the file.
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

// ReadKey reads a file that WriteKey made. It refuses a file that its owner's group or others may access, because
// whoever copies a key can act as a Byzantine replica. For an encrypted key the error is ErrKeyEncrypted.
func ReadKey(path string) (*PrivateKey, error) { return ReadKeyWith(path, nil) }

// ReadKeyWith is ReadKey for a file that may be encrypted. Only if it is, and only after all other checks of the file,
// it calls passphrase; it erases the returned bytes after use.
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

// ParseKey reads the content of a key file. The passphrase is used if the key is encrypted; it is not erased.
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

// open returns the key, and asks for the passphrase if the key is encrypted. Name stands for the file in errors.
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

// PublicPart is the unencrypted part of a key file.
type PublicPart struct {
	Key       [32]byte // unproven if the key is encrypted: only the passphrase shows that it belongs to the private key
	Encrypted bool
}

// ReadPublic reads the public half of a key file, which needs no passphrase.
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

// readKeyFile reads and checks a key file, encrypted or not.
func readKeyFile(path string) (keyFile, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keyFile{}, fmt.Errorf("read key %s: %w; make one with the command `keys new`, or name the right path", path, fs.ErrNotExist)
	}
	if err != nil {
		return keyFile{}, fmt.Errorf("read key: %w", err)
	}
	defer func() { _ = f.Close() }() // the file was only read, so closing it cannot lose anything

	// Stat asks the open file instead of the path, so that the checks and the read are about the same file.
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
	if err != nil { // this check comes before that of the mode, because a file that is no key file may have any mode
		return keyFile{}, fmt.Errorf("read key %s: %w", path, err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return keyFile{}, fmt.Errorf("read key %s: %w (mode %04o); mend it with: chmod 600 %s", path, ErrKeyExposed, mode, path)
	}
	return file, nil
}
