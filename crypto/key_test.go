package crypto_test

import (
	"bytes"
	stded25519 "crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"tagma/crypto"
)

func TestKey_SameAsTheStandardLibraryForOneSeed(t *testing.T) {
	seed := [32]byte{1, 2, 3}
	ours, std := crypto.FromSeed(seed), stded25519.NewKeyFromSeed(seed[:])
	if public := ours.Public(); !bytes.Equal(public[:], std.Public().(stded25519.PublicKey)) {
		t.Errorf("public key %x, want %x", public, std.Public())
	}
	if ours.Seed() != seed {
		t.Errorf("seed %x, want %x", ours.Seed(), seed)
	}
	if sig := ours.Sign([]byte("op")); !bytes.Equal(sig[:], stded25519.Sign(std, []byte("op"))) {
		t.Error("an honest signature is not the one RFC 8032 prescribes")
	}
}

func TestKey_GenerateUsesTheGivenRandomness(t *testing.T) {
	k, err := crypto.Generate(bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	if k.Seed() != [32]byte(bytes.Repeat([]byte{7}, 32)) {
		t.Errorf("seed %x is not what was read", k.Seed())
	}
	if _, err := crypto.Generate(bytes.NewReader(make([]byte, 31))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short randomness: %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestKey_GenerateWithoutRandomnessGivesDifferentKeys(t *testing.T) {
	a, errA := crypto.Generate(nil)
	b, errB := crypto.Generate(nil)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if a.Seed() == b.Seed() {
		t.Error("two generated keys are equal")
	}
	if err := crypto.CheckPublic(a.Public()); err != nil {
		t.Errorf("a generated key is refused: %v", err)
	}
}

func TestKey_NoVerbPrintsTheSecret(t *testing.T) {
	k := key(0)
	seed, public := k.Seed(), k.Public()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		text := fmt.Sprintf(verb, k)
		if !strings.Contains(text, hex.EncodeToString(public[:])) {
			t.Errorf("%s prints %q, which does not say whose key it is", verb, text)
		}
		for _, secret := range []string{hex.EncodeToString(seed[:8]), strings.Trim(fmt.Sprint(seed[:8]), "[]")} {
			if strings.Contains(strings.ToLower(text), secret) {
				t.Errorf("%s prints the seed: %q", verb, text)
			}
		}
	}
}
