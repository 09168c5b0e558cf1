package crypto_test

import (
	stded25519 "crypto/ed25519"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"

	"tagma/crypto"
	"tagma/internal/alone"
)

// forger makes signatures as an attacker can who knows its own secret scalar. It adds torsion points to any part of
// the signature.
type forger struct {
	secret, nonce     scalar.Scalar
	torsionA          int // index of the small-order point added to the public key
	torsionR          int // and to the commitment
	smallA, onlySmall bool
}

func newForger() forger {
	var f forger
	f.secret.SetUint64(0x5eed5eed5eed5eed)
	f.nonce.SetUint64(0x0dd0dd0dd0dd0dd0)
	return f
}

// point returns [s]B + T, or T alone.
func point(s *scalar.Scalar, torsion int, alone bool) (encoded [32]byte) {
	var p curve.EdwardsPoint
	if alone {
		p.Set(curve.EIGHT_TORSION[torsion])
	} else {
		p.MulBasepoint(curve.ED25519_BASEPOINT_TABLE, s)
		p.Add(&p, curve.EIGHT_TORSION[torsion])
	}
	var c curve.CompressedEdwardsY
	return *c.SetEdwardsPoint(&p)
}

// claim returns (A, m, R, S) with S = r + ka for the A and R that the forger chose to publish.
func (f forger) claim(message string) crypto.Claim {
	c := crypto.Claim{Message: []byte(message)}
	c.Key = point(&f.secret, f.torsionA, f.smallA)
	r := point(&f.nonce, f.torsionR, f.onlySmall)
	c.Sig = f.finish(c.Key, r, c.Message)
	return c
}

func (f forger) finish(public, commitment [32]byte, message []byte) (sig [64]byte) {
	k := challenge(public, commitment, message)
	var s scalar.Scalar
	if !f.smallA {
		s.Mul(&k, &f.secret)
	}
	if !f.onlySmall {
		s.Add(&s, &f.nonce)
	}
	copy(sig[:32], commitment[:])
	must(s.ToBytes(sig[32:]))
	return sig
}

func challenge(public, commitment [32]byte, message []byte) (k scalar.Scalar) {
	h := sha512.New()
	for _, part := range [][]byte{commitment[:], public[:], message} {
		_, _ = h.Write(part)
	}
	_, err := k.SetBytesModOrderWide(h.Sum(nil))
	must(err)
	return k
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// company are true claims that are verified in one batch with a crafted one.
var company = distinct(100, 70, "companion")

// verdicts verifies a claim alone, and in batches of every kind: the smallest batch, and a full batch that is
// followed by a smaller one.
func verdicts(c crypto.Claim) map[string]bool {
	got := map[string]bool{}
	for _, member := range []bool{false, true} {
		var members [][32]byte
		if member {
			members = [][32]byte{c.Key}
		}
		for _, companions := range []int{0, 1, 3, 63, 64, 70} {
			claims := append(slices.Clone(company[:companions]), c)
			got[fmt.Sprintf("member %t, %d companions", member, companions)] = crypto.NewVerifier(0, members).Verify(claims)
		}
	}
	return got
}

func wantVerdict(t *testing.T, c crypto.Claim, want bool) {
	t.Helper()
	for how, got := range verdicts(c) {
		if got != want {
			t.Errorf("%s: holds %t, want %t", how, got, want)
		}
	}
}

// S1: for these claims, the equations with and without the cofactor give different results, or equal ones only for
// some messages. Alone and in a batch the verdict must be the same: valid.
func TestS1_TorsionDoesNotSplitSingleAndBatch(t *testing.T) {
	alone.Test(t)
	disagreements := 0
	for torsionA := range 8 {
		for torsionR := range 8 {
			f := newForger()
			f.torsionA, f.torsionR = torsionA, torsionR
			c := f.claim(fmt.Sprintf("torsion %d %d", torsionA, torsionR))
			if err := crypto.CheckPublic(c.Key); err != nil {
				t.Fatalf("a key of mixed order is no weak key: %v", err)
			}
			wantVerdict(t, c, true)
			if !stded25519.Verify(c.Key[:], c.Message, c.Sig[:]) {
				disagreements++
			}
		}
	}
	if disagreements < 40 {
		t.Errorf("the standard library refuses only %d of 64: these signatures do not test the rule", disagreements)
	}
}

// S1: the verdict is the same, alone and in a batch, if the commitment R is a point of small order, in any of its
// encodings.
func TestS1_SmallOrderCommitmentIsJudgedAlike(t *testing.T) {
	alone.Test(t)
	f := newForger()
	f.onlySmall = true
	public := point(&f.secret, 0, false)
	for i, r := range smallOrderEncodings() {
		c := crypto.Claim{Key: public, Message: []byte{byte(i)}}
		c.Sig = f.finish(public, r, c.Message)
		wantVerdict(t, c, true)
	}
}

// S1: with a key of small order, one signature is valid for every message. Such a key is never accepted, in any
// encoding, alone or in a batch, even if nobody called CheckPublic.
func TestS1_SmallOrderKeyIsRefusedEverywhere(t *testing.T) {
	alone.Test(t)
	accepted := 0
	for i, public := range smallOrderEncodings() {
		if err := crypto.CheckPublic(public); !errors.Is(err, crypto.ErrSmallOrder) {
			t.Errorf("key %x: %v, want %v", public, err, crypto.ErrSmallOrder)
		}
		for torsionR := range 8 {
			f := newForger()
			f.smallA, f.torsionR = true, torsionR
			r := point(&f.nonce, torsionR, false)
			c := crypto.Claim{Key: public, Message: []byte{byte(i)}}
			c.Sig = f.finish(public, r, c.Message)
			wantVerdict(t, c, false)
			if stded25519.Verify(c.Key[:], c.Message, c.Sig[:]) {
				accepted++
			}
		}
	}
	if accepted == 0 {
		t.Error("the standard library accepts none of them: these signatures do not test the rule")
	}
}

// S1: a key has only one accepted encoding. For the few y below 19, y + p encodes the same point as y, and is
// refused.
func TestS1_NonCanonicalKeyIsRefused(t *testing.T) {
	tested := 0
	for y := byte(2); y < 19; y++ {
		for _, sign := range []byte{0, 0x80} {
			other := [32]byte{0: 0xed + y, 31: 0x7f | sign}
			for i := 1; i < 31; i++ {
				other[i] = 0xff
			}
			canonical := [32]byte{0: y, 31: sign}
			if err := crypto.CheckPublic(canonical); err != nil {
				continue // there is no point of the curve with this y
			}
			tested++
			if err := crypto.CheckPublic(other); !errors.Is(err, crypto.ErrNotCanonical) {
				t.Errorf("key %x: %v, want %v", other, err, crypto.ErrNotCanonical)
			}
		}
	}
	if tested == 0 {
		t.Error("no small y is on the curve: nothing was tested")
	}
}

func TestS1_KeyThatIsNoPointIsRefused(t *testing.T) {
	c := signed(key(0), "m")
	c.Key = [32]byte{0: 2}
	if err := crypto.CheckPublic(c.Key); !errors.Is(err, crypto.ErrNotAPoint) {
		t.Errorf("%v, want %v", err, crypto.ErrNotAPoint)
	}
	wantVerdict(t, c, false)
}

// S1: S and S + L both satisfy the equation. Only the smaller one is accepted as a signature.
func TestS1_SecondSignatureOfTheSameMessageIsRefused(t *testing.T) {
	c := signed(key(0), "m")
	wantVerdict(t, c, true)
	order := [32]byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10,
	}
	carry := 0
	for i := range order {
		carry += int(c.Sig[32+i]) + int(order[i])
		c.Sig[32+i] = byte(carry)
		carry >>= 8
	}
	wantVerdict(t, c, false)
}

// smallOrderEncodings returns all 14 encodings of the eight points of small order: the canonical ones, those with
// y + p for y, and those that give x = 0 a sign.
func smallOrderEncodings() [][32]byte {
	var all [][32]byte
	for i := range 8 {
		all = append(all, point(nil, i, true))
	}
	for _, low := range []byte{0xed, 0xee} { // p and p + 1, for y = 0 and y = 1
		for _, high := range []byte{0x7f, 0xff} {
			e := [32]byte{0: low, 31: high}
			for i := 1; i < 31; i++ {
				e[i] = 0xff
			}
			all = append(all, e)
		}
	}
	one, minusOne := [32]byte{0: 1, 31: 0x80}, [32]byte{0: 0xec, 31: 0xff}
	for i := 1; i < 31; i++ {
		minusOne[i] = 0xff
	}
	return append(all, one, minusOne)
}
