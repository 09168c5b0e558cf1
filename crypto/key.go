package crypto

import (
	cryptorand "crypto/rand"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// PrivateKey is the secret half of an ed25519 key pair. It is immutable and safe for concurrent use. No formatting
// verb prints the secret half.
type PrivateKey struct {
	key ed25519.PrivateKey // the seed, then the public key: 64 bytes
}

// Generate makes a new key from 32 bytes of rand, or of the operating system's generator when rand is nil.
func Generate(rand io.Reader) (*PrivateKey, error) {
	if rand == nil {
		rand = cryptorand.Reader
	}
	var seed [32]byte
	if _, err := io.ReadFull(rand, seed[:]); err != nil {
		return nil, fmt.Errorf("generate a key: read randomness: %w", err)
	}
	return FromSeed(seed), nil
}

// FromSeed returns the key that RFC 8032 derives from seed. The same seed gives the same key for ever.
func FromSeed(seed [32]byte) *PrivateKey {
	return &PrivateKey{key: ed25519.NewKeyFromSeed(seed[:])}
}

// Public returns the public key in its canonical encoding.
func (k *PrivateKey) Public() [32]byte { return [32]byte(k.key[ed25519.SeedSize:]) }

// Seed returns the secret that FromSeed takes. Only two places need it: the key file, and the link layer, which
// authenticates a replica by the same identity.
func (k *PrivateKey) Seed() [32]byte { return [32]byte(k.key[:ed25519.SeedSize]) }

// Sign signs message as RFC 8032 says: the same key and message always give the same signature.
func (k *PrivateKey) Sign(message []byte) [64]byte {
	return [64]byte(ed25519.Sign(k.key, message))
}

// Format implements fmt.Formatter so that no verb can print the secret into a log.
func (k *PrivateKey) Format(s fmt.State, _ rune) {
	public := k.Public()
	// Format cannot return an error, so a failed write is not reported.
	_, _ = io.WriteString(s, "private key of "+hex.EncodeToString(public[:]))
}
