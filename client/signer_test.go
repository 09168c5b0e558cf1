package client

import (
	stdcrypto "crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"

	"tagma/internal/session"
	"tagma/pbft/wire"
)

var errModule = errors.New("the module is locked")

// module is a signer that never reveals its key.
type module struct {
	key  ed25519.PrivateKey
	sign func(right []byte) ([]byte, error)
}

func (m module) Public() stdcrypto.PublicKey { return m.key.Public() }

func (m module) Sign(_ io.Reader, message []byte, _ stdcrypto.SignerOpts) ([]byte, error) {
	return m.sign(ed25519.Sign(m.key, message))
}

func TestNewKey_RefusesASignerThatNoReplicaWouldBelieve(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	as := func(sign func([]byte) ([]byte, error)) stdcrypto.Signer { return module{private, sign} }
	for want, signer := range map[string]stdcrypto.Signer{
		"no signer":          nil,
		"*ecdsa.PublicKey":   other,
		"is locked":          as(func([]byte) ([]byte, error) { return nil, errModule }),
		"of 3 bytes":         as(func([]byte) ([]byte, error) { return []byte("abc"), nil }),
		"does not hold":      as(func(right []byte) ([]byte, error) { right[0]++; return right, nil }),
		"has 3 bytes; one o": ed25519.PrivateKey("abc"),
	} {
		if k, err := NewKey(signer); err == nil || !strings.Contains(err.Error(), want) || k != nil {
			t.Errorf("%v, want a line with %q", err, want)
		}
	}
	if k, err := NewKey(as(func(right []byte) ([]byte, error) { return right, nil })); err != nil || k.check() != nil {
		t.Errorf("a signer that is right: %v", err)
	}
}

// A request that cannot be signed counts as not sent. Its number can be used again, and later requests do not wait
// for it.
func TestC2_ARequestThatCannotBeSignedWasNotSentAndFreesItsNumber(t *testing.T) {
	for name, semantics := range map[string]session.Semantics{
		"exactly once": session.ExactlyOnce, "at most once": session.AtMostOnce, "at least once": session.AtLeastOnce,
	} {
		t.Run(name, func(t *testing.T) {
			withCluster(t, func(t *testing.T, f *fake) {
				locked := false
				f.remake(func(of *session.Config) {
					of.Limits = limits(2).Choose(1, 0)
					of.Sign = func(b []byte) (wire.Signature, error) {
						if locked {
							return wire.Signature{}, errModule
						}
						return f.key.Sign(b), nil
					}
				})
				for i := range 7 { // more than the window holds
					locked = i%2 == 0
					_, err := f.s.do(t.Context(), [][]byte{[]byte("a")}, session.Kind{Semantics: semantics})
					if locked != (errors.Is(err, ErrNotSent) && errors.Is(err, errModule)) || !locked && err != nil {
						t.Errorf("call %d: %v", i, err)
					}
				}
				if n := len(f.sent); n != 3 {
					t.Errorf("%d requests went out, want the 3 that were signed", n)
				}
			})
		})
	}
}

// An at-least-once operation is sent under several numbers. If a later one cannot be signed, the first may have been
// executed, so the outcome is unknown.
func TestC7_AFurtherNumberThatCannotBeSignedLeavesTheOutcomeUnknown(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		signed := 0
		f.remake(func(of *session.Config) {
			of.Sign = func(b []byte) (wire.Signature, error) {
				if signed++; signed > 1 {
					return wire.Signature{}, errModule
				}
				return f.key.Sign(b), nil
			}
		})
		f.set(func() {
			for i := range f.answer {
				f.answer[i] = silent
			}
		})
		call, err := f.s.submit(t.Context(), [][]byte{[]byte("a")}, session.Kind{Semantics: session.AtLeastOnce})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := call.Wait(t.Context()); !errors.Is(err, ErrUnknown) || !errors.Is(err, errModule) || errors.Is(err, ErrNotSent) {
			t.Errorf("the outcome is %v", err)
		}
	})
}
