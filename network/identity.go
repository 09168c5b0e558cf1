package network

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/crypto/pb"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// identity is the host's own key in libp2p's form.
type identity struct {
	key     [32]byte
	private crypto.PrivKey
	id      peer.ID
}

func newIdentity(seed [32]byte) (identity, error) {
	raw := ed25519.NewKeyFromSeed(seed[:])
	private, err := crypto.UnmarshalEd25519PrivateKey(raw)
	if err != nil {
		return identity{}, fmt.Errorf("make the libp2p key: %w", err)
	}
	id, err := peer.IDFromPrivateKey(private)
	if err != nil {
		return identity{}, fmt.Errorf("make the libp2p identity: %w", err)
	}
	return identity{key: [32]byte(raw[ed25519.SeedSize:]), private: private, id: id}, nil
}

// newClientIdentity makes an identity from a seed, or from a Signer whose key is not in memory.
func newClientIdentity(cfg *ClientConfig) (identity, error) {
	if cfg.Signer == nil {
		return newIdentity(cfg.Seed)
	}
	public, err := crypto.UnmarshalEd25519PublicKey(cfg.Signer.Public[:])
	if err != nil {
		return identity{}, fmt.Errorf("make the libp2p key: %w", err)
	}
	id, err := peer.IDFromPublicKey(public)
	if err != nil {
		return identity{}, fmt.Errorf("make the libp2p identity: %w", err)
	}
	return identity{key: cfg.Signer.Public, private: remoteKey{cfg.Signer, public}, id: id}, nil
}

// errNoSecret says that the secret bytes of a key are not available.
var errNoSecret = errors.New("the key is held elsewhere")

// remoteKey makes a libp2p private key of a Signer, for signing the handshakes.
type remoteKey struct {
	*Signer
	public crypto.PubKey
}

func (k remoteKey) Type() pb.KeyType { return pb.KeyType_Ed25519 }

func (k remoteKey) Raw() ([]byte, error) { return nil, errNoSecret }

func (k remoteKey) GetPublic() crypto.PubKey { return k.public }

func (k remoteKey) Equals(other crypto.Key) bool {
	o, ok := other.(remoteKey)
	return ok && o.Public == k.Public
}

func (k remoteKey) Sign(message []byte) ([]byte, error) {
	sig, err := k.Signer.Sign(message)
	return sig[:], err
}

func idOfKey(key [32]byte) (peer.ID, error) {
	public, err := crypto.UnmarshalEd25519PublicKey(key[:])
	if err != nil {
		return "", err
	}
	return peer.IDFromPublicKey(public)
}

// keyOfID is the ed25519 key of a libp2p identity; ok is false for other kinds of keys.
func keyOfID(id peer.ID) (key [32]byte, ok bool) {
	public, err := id.ExtractPublicKey()
	if err != nil || public.Type() != crypto.Ed25519 {
		return key, false
	}
	raw, err := public.Raw()
	if err != nil || len(raw) != len(key) {
		return key, false
	}
	return [32]byte(raw), true
}

// remote is a member in the form that the transport uses.
type remote struct {
	index int
	key   [32]byte
	id    peer.ID
	addrs []ma.Multiaddr
}

// String names a member in log lines and errors: its index and the start of its key.
func (r remote) String() string {
	return fmt.Sprintf("replica %d (%s)", r.index, hex.EncodeToString(r.key[:4]))
}

// resolveMembers checks the member list. It ignores addresses of transports that this package does not implement; every
// member except self must have at least one usable address.
func resolveMembers(members []Member, self int) ([]remote, error) {
	remotes := make([]remote, len(members))
	seen := make(map[[32]byte]int, len(members))
	for i, m := range members {
		if first, dup := seen[m.Key]; dup {
			return nil, fmt.Errorf("replicas %d and %d have the same key", first, i)
		}
		seen[m.Key] = i
		id, err := idOfKey(m.Key)
		if err != nil {
			return nil, fmt.Errorf("replica %d: key: %w", i, err)
		}
		addrs, err := parseAddrs(m.Addrs)
		if err == nil && len(addrs) == 0 && i != self {
			err = errNoAddress
		}
		if err != nil {
			return nil, fmt.Errorf("replica %d: %w", i, err)
		}
		remotes[i] = remote{index: i, key: m.Key, id: id, addrs: addrs}
	}
	return remotes, nil
}
