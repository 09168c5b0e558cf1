package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"

	"tagma/crypto"
	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// Signatures says what vouches for messages.
type Signatures uint8

// The kinds of signatures.
const (
	Fast    Signatures = iota // a keyed hash: the world holds all secrets, and lets each party sign with its own
	Ed25519                   // the real ones
)

// keyring holds every key of a world.
type keyring struct {
	kind     Signatures
	seed     uint64
	secrets  map[wire.PublicKey]*[4]uint64 // of fast ones
	verifier *crypto.Verifier              // of real ones
	claims   []crypto.Claim
}

// party is who can sign.
type party struct {
	key  wire.PublicKey
	sign func([]byte) [64]byte
}

// Sign implements driver.Signer.
func (p *party) Sign(b []byte) [64]byte { return p.sign(b) }

func newKeyring(kind Signatures, seed uint64) *keyring {
	return &keyring{kind: kind, seed: seed, secrets: map[wire.PublicKey]*[4]uint64{}}
}

// members makes the keys of replicas, before any other.
func (k *keyring) members(n int) []*party {
	parties, keys := make([]*party, n), make([][32]byte, n)
	for i := range parties {
		parties[i] = k.party("replica", i)
		keys[i] = parties[i].key
	}
	if k.kind == Ed25519 {
		k.verifier = crypto.NewVerifier(1<<14, keys)
	}
	return parties
}

func (k *keyring) party(role string, i int) *party {
	seed := sha256.Sum256(fmt.Appendf(nil, "simulated %s %d of %d", role, i, k.seed))
	if k.kind == Ed25519 {
		private := crypto.FromSeed(seed)
		return &party{key: private.Public(), sign: private.Sign}
	}
	secret := new([4]uint64)
	for j := range secret {
		secret[j] = binary.LittleEndian.Uint64(seed[8*j:])
	}
	key := wire.PublicKey(sha256.Sum256(seed[:]))
	k.secrets[key] = secret
	return &party{key: key, sign: func(b []byte) [64]byte { return mark(secret, b) }}
}

// holds reports whether all claims have valid signatures.
func (k *keyring) holds(claims []wire.Claim) bool {
	if k.kind == Ed25519 {
		k.claims = replica.Claims(k.claims[:0], claims)
		return k.verifier.Verify(k.claims)
	}
	for i := range claims {
		c := &claims[i]
		secret := k.secrets[c.Signer]
		if secret == nil || mark(secret, c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

// mark is a hash of b under a secret, in two lanes. It withstands nobody who computes, only those who cannot: whoever
// does not hold the secret has no way to ask for it.
func mark(secret *[4]uint64, b []byte) (s [64]byte) {
	x, y := secret[0]^uint64(len(b)), secret[1]
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		x = fold(x^w, secret[2]|1)
		y = fold(y+w, secret[3]|1)
		b = b[8:]
	}
	var rest [8]byte
	copy(rest[:], b)
	w := binary.LittleEndian.Uint64(rest[:])
	x = fold(x^w^secret[3], y|1)
	y = fold(y+w+secret[2], x|1)
	binary.LittleEndian.PutUint64(s[0:], x)
	binary.LittleEndian.PutUint64(s[8:], y)
	binary.LittleEndian.PutUint64(s[16:], x^secret[0])
	binary.LittleEndian.PutUint64(s[24:], y^secret[1])
	return s
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b)
	return hi ^ lo + a
}
