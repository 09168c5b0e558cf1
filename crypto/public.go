package crypto

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve"
)

// The reasons for which 32 bytes are not a public key of this system (S1).
var (
	ErrNotAPoint    = errors.New("not a point of the curve")
	ErrNotCanonical = errors.New("not in canonical encoding")
	ErrSmallOrder   = errors.New("of small order, so that one signature would fit many messages")
)

// CheckPublic returns nil if key may belong to a member or a client. Otherwise the error wraps ErrNotAPoint,
// ErrNotCanonical (the same member would have two names) or ErrSmallOrder (S1). Every key from a configuration or a
// request must pass this check before it is used.
func CheckPublic(key [32]byte) error {
	if err := weakness(key); err != nil {
		return fmt.Errorf("public key %x is %w; use one that the command `keys` made", key, err)
	}
	return nil
}

// weakness returns what is wrong with a key, or nil.
func weakness(key [32]byte) error {
	compressed := curve.CompressedEdwardsY(key)
	var point curve.EdwardsPoint
	if _, err := point.SetCompressedY(&compressed); err != nil {
		return ErrNotAPoint
	}
	if point.IsSmallOrder() {
		return ErrSmallOrder
	}
	if !compressed.IsCanonicalVartime() {
		return ErrNotCanonical
	}
	return nil
}

// ParsePublic reads a public key from 64 hex digits and checks it as CheckPublic does.
func ParsePublic(text string) ([32]byte, error) {
	if len(text) != 2*len([32]byte{}) {
		return [32]byte{}, fmt.Errorf("public key %.80q has %d characters; it must be 64 hex digits", text, len(text))
	}
	var key [32]byte
	if _, err := hex.Decode(key[:], []byte(text)); err != nil {
		return [32]byte{}, fmt.Errorf("public key %q is not hex: %w", text, err)
	}
	if err := CheckPublic(key); err != nil {
		return [32]byte{}, err
	}
	return key, nil
}
