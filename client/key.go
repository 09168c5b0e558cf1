package client

import (
	"bytes"
	stdcrypto "crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"

	"tagma/crypto"
	"tagma/internal/passphrase"
	"tagma/network"
	"tagma/pbft/wire"
)

// Key is the ed25519 key of a client, by which the cluster identifies the client. The client signs requests with it,
// and proves on each link that it has it. A Key may serve any number of clients.
type Key struct {
	public  [32]byte
	private *crypto.PrivateKey // nil: the signer has it
	signer  stdcrypto.Signer
}

// ReadKey reads a key file that the command init or keys made. The passphrase of an encrypted key is taken from the
// environment (TAGMA_PASSPHRASE, or a file that TAGMA_PASSPHRASE_FILE names), or asked for on the terminal.
func ReadKey(file string) (*Key, error) {
	private, err := passphrase.ReadKey(file)
	if err != nil {
		return nil, err
	}
	return keyOf(private), nil
}

// ParseKey reads the content of a key file. The passphrase is for an encrypted key, and nil for others.
func ParseKey(content, passphrase []byte) (*Key, error) {
	private, err := crypto.ParseKey(content, passphrase)
	if err != nil {
		return nil, err
	}
	return keyOf(private), nil
}

func keyOf(private *crypto.PrivateKey) *Key { return &Key{public: private.Public(), private: private} }

// probe is what a signer signs to show that it can. It differs from everything that a client signs.
const probe = "tagma: does this key sign?"

// NewKey makes a Key from a signer: an ed25519.PrivateKey, or a signer whose key is elsewhere, such as in a security
// module. Its public key must be an ed25519.PublicKey, and it must sign messages unhashed (crypto.Hash(0)) and be
// safe for concurrent use. NewKey asks it for one signature. Later it signs when a client is dialled, for each
// connection, and for each request.
func NewKey(signer stdcrypto.Signer) (*Key, error) {
	if signer == nil {
		return nil, errors.New("no signer: give one that holds an ed25519 key")
	}
	if private, ok := signer.(ed25519.PrivateKey); ok {
		if len(private) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("the private key has %d bytes; one of ed25519 has %d", len(private), ed25519.PrivateKeySize)
		}
		return keyOf(crypto.FromSeed([32]byte(private.Seed()))), nil
	}
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok || len(public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("the signer's public key is a %T; give a signer of an ed25519 key", signer.Public())
	}
	k := &Key{public: [32]byte(public), signer: signer}
	if err := crypto.CheckPublic(k.public); err != nil {
		return nil, fmt.Errorf("the signer's key: %w", err)
	}
	sig, err := k.sign([]byte(probe))
	if err != nil {
		return nil, fmt.Errorf("the signer does not sign: %w", err)
	}
	if !ed25519.Verify(public, []byte(probe), sig[:]) {
		return nil, errors.New("the signer's signature does not hold under its public key; it must sign messages by plain ed25519, not hashed before")
	}
	return k, nil
}

// Public is the public key, which the cluster file lists under [[client]].
func (k *Key) Public() [32]byte {
	if k == nil {
		return [32]byte{}
	}
	return k.public
}

// errNoKey is the error of a client without a key.
var errNoKey = errors.New("no client key; make one with ReadKey, ParseKey or NewKey")

func (k *Key) check() error {
	if k == nil || k.private == nil && k.signer == nil {
		return errNoKey
	}
	return nil
}

func (k *Key) sign(message []byte) ([64]byte, error) {
	if k.private != nil {
		return k.private.Sign(message), nil
	}
	sig, err := k.signer.Sign(rand.Reader, bytes.Clone(message), stdcrypto.Hash(0))
	if err == nil && len(sig) != ed25519.SignatureSize {
		err = fmt.Errorf("the signer gave a signature of %d bytes; one of ed25519 has %d", len(sig), ed25519.SignatureSize)
	}
	if err != nil {
		return [64]byte{}, err
	}
	return [64]byte(sig), nil
}

func (k *Key) signRequest(content []byte) (wire.Signature, error) {
	sig, err := k.sign(content)
	return sig, err
}

// prove makes the client's links prove that they have the key.
func (k *Key) prove(cfg *network.ClientConfig) {
	if k.private != nil {
		cfg.Seed = k.private.Seed()
		return
	}
	cfg.Signer = &network.Signer{Public: k.public, Sign: k.sign}
}
