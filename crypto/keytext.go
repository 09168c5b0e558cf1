package crypto

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// The lines of a key file. The second line says how the secret is protected. In a plain file the seed and the public
// key follow; in an encrypted file, the parameters for opening it, the encrypted seed and the public key. The public
// key is redundant: it shows people whose key this is, and in a plain file it is the only check of the seed.
const (
	keyHeader        = "tagma ed25519 private key v1"
	encryptionPrefix = "encryption: "
	seedPrefix       = "seed: "
	saltPrefix       = "salt: "
	costPrefix       = "cost: "
	noncePrefix      = "nonce: "
	sealedPrefix     = "sealed: "
	publicPrefix     = "public: "

	noEncryption     = "none"
	sealedEncryption = "argon2id-xchacha20poly1305"
)

// keyFile is the content of a key file: either the key or the encrypted key.
type keyFile struct {
	key    *PrivateKey
	sealed *sealedKey
}

func encodeKey(k *PrivateKey) []byte {
	return fmt.Appendf(nil, "%s\n%s%s\n%s%x\n%s%x\n", keyHeader,
		encryptionPrefix, noEncryption, seedPrefix, k.Seed(), publicPrefix, k.Public())
}

// decodeKey accepts exactly what encodeKey and sealKey write, except that hex digits may be in either case and the last
// newline may be missing.
func decodeKey(text []byte) (keyFile, error) {
	if len(text) > keyFileLimit {
		return keyFile{}, fmt.Errorf("%w: longer than %d bytes", ErrNotKeyFile, keyFileLimit)
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if lines[0] != keyHeader {
		return keyFile{}, fmt.Errorf("%w: the first line must be %q", ErrNotKeyFile, keyHeader)
	}
	if len(lines) < 2 {
		return keyFile{}, wrongLines(1, 4)
	}
	how, ok := strings.CutPrefix(lines[1], encryptionPrefix)
	switch {
	case !ok:
		return keyFile{}, fmt.Errorf("%w: line 2 must begin with %q", ErrKeyDamaged, encryptionPrefix)
	case how == noEncryption:
		key, err := decodePlain(lines)
		return keyFile{key: key}, err
	case how == sealedEncryption:
		sealed, err := decodeSealed(lines)
		return keyFile{sealed: sealed}, err
	}
	return keyFile{}, fmt.Errorf("%w: %.40q; use the version that wrote the file", ErrKeyCipher, how)
}

func decodePlain(lines []string) (*PrivateKey, error) {
	if len(lines) != 4 {
		return nil, wrongLines(len(lines), 4)
	}
	var seed, public [32]byte
	if err := hexLine(3, seedPrefix, lines[2], seed[:]); err != nil {
		return nil, err
	}
	if err := hexLine(4, publicPrefix, lines[3], public[:]); err != nil {
		return nil, err
	}
	k := FromSeed(seed)
	if k.Public() != public {
		return nil, fmt.Errorf("%w: seed and public key do not belong together; restore it from a copy", ErrKeyDamaged)
	}
	return k, nil
}

func decodeSealed(lines []string) (*sealedKey, error) {
	if len(lines) != 7 {
		return nil, wrongLines(len(lines), 7)
	}
	s := new(sealedKey)
	if err := hexLine(3, saltPrefix, lines[2], s.salt[:]); err != nil {
		return nil, err
	}
	var err error
	if s.cost, err = costLine(4, lines[3]); err != nil {
		return nil, err
	}
	for i, field := range []struct {
		prefix string
		value  []byte
	}{{noncePrefix, s.nonce[:]}, {sealedPrefix, s.box[:]}, {publicPrefix, s.public[:]}} {
		if err := hexLine(5+i, field.prefix, lines[4+i], field.value); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func wrongLines(has, want int) error {
	return fmt.Errorf("%w: it has %d lines instead of %d; restore it from a copy", ErrKeyDamaged, has, want)
}

// hexLine decodes a line "prefix hex" into value. Its errors never quote the line, which may contain most of a secret.
func hexLine(number int, prefix, line string, value []byte) error {
	digits, ok := strings.CutPrefix(line, prefix)
	if !ok {
		return fmt.Errorf("%w: line %d must begin with %q", ErrKeyDamaged, number, prefix)
	}
	if len(digits) != hex.EncodedLen(len(value)) {
		return fmt.Errorf("%w: line %d has %d hex digits instead of %d; restore the file from a copy",
			ErrKeyLength, number, len(digits), hex.EncodedLen(len(value)))
	}
	if _, err := hex.Decode(value, []byte(digits)); err != nil {
		return fmt.Errorf("%w: line %d is not hex; restore the file from a copy", ErrKeyDamaged, number)
	}
	return nil
}

// costLine reads the parameters of the key derivation and refuses any that our own files never have: they determine how
// much memory and time opening takes, and the file may come from anybody.
func costLine(number int, line string) (cost, error) {
	text, ok := strings.CutPrefix(line, costPrefix)
	if !ok {
		return cost{}, fmt.Errorf("%w: line %d must begin with %q", ErrKeyDamaged, number, costPrefix)
	}
	var c cost
	if _, err := fmt.Sscanf(text, costFormat, &c.kibibytes, &c.passes, &c.lanes); err != nil || c.String() != text {
		return cost{}, fmt.Errorf("%w: line %d does not read like %q; restore the file from a copy", ErrKeyDamaged, number,
			costPrefix+defaultCost.String())
	}
	if !c.bearable() {
		return cost{}, fmt.Errorf("%w: line %d asks for %s, above %s or below what is meaningful", ErrKeyCipher, number, c, maxCost)
	}
	return c, nil
}
