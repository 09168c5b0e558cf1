package crypto

import (
	cryptorand "crypto/rand"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// cost is the work of deriving a key from a passphrase with argon2id.
type cost struct {
	kibibytes, passes uint32
	lanes             uint8
}

var (
	// defaultCost is RFC 9106's second recommended choice, meant for machines without gigabytes to spare.
	defaultCost = cost{kibibytes: 64 << 10, passes: 3, lanes: 4}
	// maxCost is the most that a file may demand: about a second, and an amount of memory that any machine has.
	maxCost = cost{kibibytes: 256 << 10, passes: 16, lanes: 16}
)

const costFormat = "%d KiB, %d passes, %d lanes"

// String is how a key file writes the cost.
func (c cost) String() string { return fmt.Sprintf(costFormat, c.kibibytes, c.passes, c.lanes) }

// bearable reports whether argon2 accepts the cost unchanged (argon2 needs at least 8 KiB for each lane), and whether
// the cost is within maxCost.
func (c cost) bearable() bool {
	return c.lanes >= 1 && c.passes >= 1 && c.kibibytes >= 8*uint32(c.lanes) &&
		c.lanes <= maxCost.lanes && c.passes <= maxCost.passes && c.kibibytes <= maxCost.kibibytes
}

// sealedKey is a seed that is encrypted with a passphrase: argon2id derives a key from the passphrase, with which
// XChaCha20-Poly1305 encrypts the seed. All other content of the file, above all the public key, is authenticated
// together with the seed.
type sealedKey struct {
	salt   [16]byte
	cost   cost
	nonce  [chacha20poly1305.NonceSizeX]byte
	box    [32 + chacha20poly1305.Overhead]byte
	public [32]byte
}

// sealKey returns the text of an encrypted key file. Salt and nonce come from rand, or from the operating system's
// generator if rand is nil.
func sealKey(k *PrivateKey, passphrase []byte, c cost, rand io.Reader) ([]byte, error) {
	if len(passphrase) == 0 {
		return nil, ErrNoPassphrase
	}
	if rand == nil {
		rand = cryptorand.Reader
	}
	s := &sealedKey{cost: c, public: k.Public()}
	for _, fresh := range [][]byte{s.salt[:], s.nonce[:]} {
		if _, err := io.ReadFull(rand, fresh); err != nil {
			return nil, fmt.Errorf("read randomness: %w", err)
		}
	}
	derived := s.derive(passphrase)
	defer clear(derived)
	seed := k.Seed()
	defer clear(seed[:])
	aead, err := chacha20poly1305.NewX(derived)
	if err != nil {
		return nil, fmt.Errorf("seal the key: %w", err)
	}
	aead.Seal(s.box[:0], s.nonce[:], seed[:], s.inClear())
	return s.encode(), nil
}

// open returns the key if passphrase is right and nothing in the file was changed.
func (s *sealedKey) open(passphrase []byte) (*PrivateKey, error) {
	derived := s.derive(passphrase)
	defer clear(derived)
	aead, err := chacha20poly1305.NewX(derived)
	if err != nil {
		return nil, fmt.Errorf("open the key: %w", err)
	}
	seed, err := aead.Open(nil, s.nonce[:], s.box[:], s.inClear())
	if err != nil {
		// The cipher's own error would be less helpful: a wrong passphrase is far likelier than damage.
		return nil, fmt.Errorf("%w; try again, or restore the file from a copy", ErrWrongPassphrase)
	}
	defer clear(seed)
	k := FromSeed([32]byte(seed))
	if k.Public() != s.public {
		return nil, fmt.Errorf("%w: seed and public key do not belong together; restore it from a copy", ErrKeyDamaged)
	}
	return k, nil
}

func (s *sealedKey) derive(passphrase []byte) []byte {
	return argon2.IDKey(passphrase, s.salt[:], s.cost.passes, s.cost.kibibytes, s.cost.lanes, chacha20poly1305.KeySize)
}

// inClear is the unencrypted content of the file in one fixed encoding, so that the case of its hex digits does not
// matter.
func (s *sealedKey) inClear() []byte {
	return append(s.head(), s.foot()...)
}

func (s *sealedKey) encode() []byte {
	text := fmt.Appendf(s.head(), "%s%x\n", sealedPrefix, s.box)
	return append(text, s.foot()...)
}

func (s *sealedKey) head() []byte {
	return fmt.Appendf(nil, "%s\n%s%s\n%s%x\n%s%s\n%s%x\n", keyHeader, encryptionPrefix, sealedEncryption,
		saltPrefix, s.salt, costPrefix, s.cost, noncePrefix, s.nonce)
}

func (s *sealedKey) foot() []byte { return fmt.Appendf(nil, "%s%x\n", publicPrefix, s.public) }
