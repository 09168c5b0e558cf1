package crypto_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"tagma/crypto"
)

func TestParsePublic_ReadsHexInEitherCase(t *testing.T) {
	want := key(0).Public()
	for _, text := range []string{hex.EncodeToString(want[:]), strings.ToUpper(hex.EncodeToString(want[:]))} {
		if got, err := crypto.ParsePublic(text); err != nil || got != want {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
}

func TestParsePublic_RefusesWhatNoKeyIs(t *testing.T) {
	for text, says := range map[string]string{
		"":                             "0 characters",
		strings.Repeat("0", 63):        "63 characters",
		strings.Repeat("0", 100_000):   "100000 characters",
		strings.Repeat("g", 64):        "not hex",
		"01" + strings.Repeat("0", 62): "small order", // S1
		"02" + strings.Repeat("0", 62): "not a point",
	} {
		got, err := crypto.ParsePublic(text)
		if err == nil || !strings.Contains(err.Error(), says) || len(err.Error()) > 250 {
			t.Errorf("%.70q: %.300v, want an error that says %q", text, err, says)
		}
		if got != [32]byte{} {
			t.Errorf("%.70q: an error came with the key %x", text, got)
		}
	}
	if _, err := crypto.ParsePublic("01" + strings.Repeat("0", 62)); !errors.Is(err, crypto.ErrSmallOrder) {
		t.Errorf("%v, want %v", err, crypto.ErrSmallOrder)
	}
}
