package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"tagma/crypto"
	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// Signatures says how messages are signed.
type Signatures uint8

// The kinds of signatures.
const (
	Fast    Signatures = iota // a keyed hash; the world holds all secrets, and lets each party sign only with its own
	Ed25519                   // real ed25519 signatures
)

// keyring holds every key of a world.
type keyring struct {
	kind     Signatures
	seed     uint64
	proper   bool                      // fast signatures are under keys that others accept as keys of ed25519
	secrets  map[wire.PublicKey]uint64 // the secrets of fast signatures
	verifier *crypto.Verifier          // the verifier of real signatures
	claims   []crypto.Claim
}

// party is a replica or a client with its key.
type party struct {
	key  wire.PublicKey
	sign func([]byte) [64]byte
}

// Sign implements driver.Signer.
func (p *party) Sign(b []byte) [64]byte { return p.sign(b) }

func newKeyring(kind Signatures, seed uint64) *keyring {
	return &keyring{kind: kind, seed: seed, secrets: map[wire.PublicKey]uint64{}}
}

// members makes the keys of replicas. It must be called before any other key is made.
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
	key := wire.PublicKey(sha256.Sum256(seed[:]))
	if k.proper {
		key = crypto.FromSeed(seed).Public()
	}
	secret := binary.LittleEndian.Uint64(seed[:])
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
		secret, known := k.secrets[c.Signer]
		if !known || mark(secret, c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

// mark is a hash of b under a secret. It is no real signature: it is safe because nothing in a world computes with another
// party's secret.
func mark(secret uint64, b []byte) (s [64]byte) {
	h := xxhash.NewWithSeed(secret)
	_, _ = h.Write(b)
	binary.LittleEndian.PutUint64(s[:], h.Sum64())
	return s
}
