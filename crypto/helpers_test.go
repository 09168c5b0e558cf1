package crypto_test

import (
	"encoding/binary"
	"testing"

	"tagma/crypto"
)

// key returns the n-th key of a fixed sequence, so that every run uses the same keys.
func key(n uint64) *crypto.PrivateKey {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], n+1)
	return crypto.FromSeed(seed)
}

// signed returns a claim that holds.
func signed(k *crypto.PrivateKey, message string) crypto.Claim {
	return crypto.Claim{Key: k.Public(), Message: []byte(message), Sig: k.Sign([]byte(message))}
}

// distinct returns n claims that hold, by n keys starting with the first-th.
func distinct(first, n int, message string) []crypto.Claim {
	claims := make([]crypto.Claim, n)
	for i := range claims {
		claims[i] = signed(key(uint64(first+i)), message)
	}
	return claims
}

// wantStats fails the test unless the verifier has exactly these counts.
func wantStats(t *testing.T, v *crypto.Verifier, want crypto.Stats) {
	t.Helper()
	if got := v.Stats(); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}
