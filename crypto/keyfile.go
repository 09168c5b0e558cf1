package crypto

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The ways in which a file that exists is not a usable key file.
var (
	ErrNotKeyFile   = errors.New("not a tagma key file")
	ErrKeyLength    = errors.New("key of the wrong length")
	ErrKeyDamaged   = errors.New("damaged key file")
	ErrKeyEncrypted = errors.New("encryption this version cannot read")
	ErrKeyExposed   = errors.New("key file that others can read")
)

// The four lines of a key file. The second says how the third is protected; a file encrypted under a passphrase will
// name its cipher there. The public key is redundant: it shows people whose key this is, and it tells a damaged seed
// from a good one, which nothing else would.
const (
	keyHeader        = "tagma ed25519 private key v1"
	encryptionPrefix = "encryption: "
	seedPrefix       = "seed: "
	publicPrefix     = "public: "
	noEncryption     = "none"

	// keyFileLimit bounds what is read of a file that may be anything.
	keyFileLimit = 4096
)

// WriteKey creates the file path, readable by its owner only, and returns when it is on disk. It never overwrites: a
// lost key is a lost member.
func WriteKey(path string, k *PrivateKey) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write key %s: %w; move the old key away first, or choose another path", path, fs.ErrExist)
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(encodeKey(k))
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
// a Byzantine replica.
func ReadKey(path string) (*PrivateKey, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read key %s: %w; make one with `tagma keys new`, or name the right path", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from: closing it cannot lose anything

	// The open file is asked, not the path, so that both questions are about the same file.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read key %s: %w: it is no regular file", path, ErrNotKeyFile)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("read key %s: %w (mode %04o); mend it with: chmod 600 %s", path, ErrKeyExposed, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, keyFileLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	k, err := decodeKey(text)
	if err != nil {
		return nil, fmt.Errorf("read key %s: %w", path, err)
	}
	return k, nil
}

func encodeKey(k *PrivateKey) []byte {
	return fmt.Appendf(nil, "%s\n%s%s\n%s%x\n%s%x\n", keyHeader,
		encryptionPrefix, noEncryption, seedPrefix, k.Seed(), publicPrefix, k.Public())
}

// decodeKey accepts exactly what encodeKey makes, hex in either case and the last newline apart.
func decodeKey(text []byte) (*PrivateKey, error) {
	if len(text) > keyFileLimit {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrNotKeyFile, keyFileLimit)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if lines[0] != keyHeader {
		return nil, fmt.Errorf("%w: the first line must be %q", ErrNotKeyFile, keyHeader)
	}
	if len(lines) != 4 {
		return nil, fmt.Errorf("%w: it has %d lines instead of 4; restore it from a copy", ErrKeyDamaged, len(lines))
	}
	how, ok := strings.CutPrefix(lines[1], encryptionPrefix)
	if !ok {
		return nil, fmt.Errorf("%w: line 2 must begin with %q", ErrKeyDamaged, encryptionPrefix)
	}
	if how != noEncryption {
		return nil, fmt.Errorf("%w: %.40q; use the version that wrote the file", ErrKeyEncrypted, how)
	}
	seed, err := hexLine(3, seedPrefix, lines[2])
	if err != nil {
		return nil, err
	}
	public, err := hexLine(4, publicPrefix, lines[3])
	if err != nil {
		return nil, err
	}
	k := FromSeed(seed)
	if k.Public() != public {
		return nil, fmt.Errorf("%w: seed and public key do not belong together; restore it from a copy", ErrKeyDamaged)
	}
	return k, nil
}

// hexLine reads 32 bytes from a line "prefix hex". Its errors never quote the line: it may hold most of a secret.
func hexLine(number int, prefix, line string) (value [32]byte, err error) {
	digits, ok := strings.CutPrefix(line, prefix)
	if !ok {
		return value, fmt.Errorf("%w: line %d must begin with %q", ErrKeyDamaged, number, prefix)
	}
	if len(digits) != hex.EncodedLen(len(value)) {
		return value, fmt.Errorf("%w: line %d has %d hex digits instead of %d; restore the file from a copy",
			ErrKeyLength, number, len(digits), hex.EncodedLen(len(value)))
	}
	if _, err := hex.Decode(value[:], []byte(digits)); err != nil {
		return value, fmt.Errorf("%w: line %d is not hex; restore the file from a copy", ErrKeyDamaged, number)
	}
	return value, nil
}
