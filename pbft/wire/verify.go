package wire

import (
	"errors"
	"fmt"
)

// Claim says that Signer signed Signed. The claims of a message are only a list; the message can be believed after they
// were verified.
type Claim struct {
	Signer PublicKey
	Signed []byte // the exact bytes under the signature
	Sig    Signature
}

// Verified is a message that is well formed and whose every claim holds. Only this package makes one, so holding it is
// proof that the checks were made.
type Verified struct{ msg Message }

// Message returns the message that was verified.
func (v Verified) Message() Message { return v.msg }

// False returns the error that says that a claim of the message does not hold. A caller that made the Verified with a
// function that always returns true, and that verifies the claims afterwards, reports a false claim by this error.
func (v Verified) False() error { return fmt.Errorf("%s: %w", TypeOf(v.msg), ErrSignature) }

// Offered returns the certificate that a Data carries as the message that a core takes; false without one. The claims
// of the whole message were verified, those of the certificate among them.
func (v Verified) Offered() (Verified, bool) {
	if m, ok := v.msg.(*Data); ok && m.Offer != nil && m.Offer.Seq > 0 {
		return Verified{msg: &StableNotice{Cert: *m.Offer}}, true
	}
	return Verified{}, false
}

// Verify checks a message and its claims. Holds reports whether every one of the claims has a valid signature; it is
// given all claims of the message at once, so that it can batch and cache them.
func Verify(cfg *Config, m Message, holds func([]Claim) bool) (Verified, error) {
	if err := Check(cfg, m); err != nil {
		return Verified{}, err
	}
	if claims := Claims(cfg, m); len(claims) > 0 && !holds(claims) {
		return Verified{}, Verified{msg: m}.False()
	}
	return Verified{msg: m}, nil
}

// Verify checks that a quorum signed the certificate; that of the cluster's beginning needs no signature.
func (c StableCert) Verify(cfg *Config, holds func([]Claim) bool) error {
	_, err := Verify(cfg, &StableNotice{Cert: c}, holds)
	return err
}

// Proof returns the certificate as bytes. They can be stored anywhere: ReadProof decodes and verifies them.
func (c StableCert) Proof() []byte { return Encode(&StableNotice{Cert: c}) }

// ReadProof reads the Proof of a certificate and verifies it.
func ReadProof(cfg *Config, proof []byte, holds func([]Claim) bool) (StableCert, error) {
	m, err := Decode(proof)
	if err != nil {
		return StableCert{}, fmt.Errorf("its certificate cannot be read: %w", err)
	}
	notice, is := m.(*StableNotice)
	if !is {
		return StableCert{}, errors.New("it has another message in place of a certificate")
	}
	if err := notice.Cert.Verify(cfg, holds); err != nil {
		return StableCert{}, fmt.Errorf("its certificate does not hold: %w", err)
	}
	return notice.Cert, nil
}

// Own wraps a message that this replica itself built and signed a moment ago. It must not be given anything that was
// read from a link or a disk.
func Own(m Message) Verified { return Verified{msg: m} }
