package network

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// identity is a host's own key in libp2p's form.
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

func idOfKey(key [32]byte) (peer.ID, error) {
	public, err := crypto.UnmarshalEd25519PublicKey(key[:])
	if err != nil {
		return "", err
	}
	return peer.IDFromPublicKey(public)
}

// keyOfID is the ed25519 key of a libp2p identity; ok is false for any other kind of key.
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

// remote is a member as the transport knows it.
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

// resolveMembers checks the member list. Addresses of transports that this package does not speak are passed over; a
// member other than self must keep at least one.
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
