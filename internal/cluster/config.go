package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/multiformats/go-multiaddr"

	"tagma/network"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Config returns the protocol's configuration for replica self, with defaults filled in and everything checked.
func (f *File) Config(self int) (wire.Config, error) {
	if err := f.validate(); err != nil {
		return wire.Config{}, located("in memory", err)
	}
	if self < 0 || self >= len(f.Replicas) {
		return wire.Config{}, fmt.Errorf("replica %d is not in the cluster file, which has 0 to %d", self, len(f.Replicas)-1)
	}
	cfg := f.config(wire.ReplicaID(self))
	cfg.Client = f.admits()
	return cfg, nil
}

func (f *File) config(self wire.ReplicaID) wire.Config {
	cfg := f.Protocol.Core().WithDefaults()
	cfg.Cluster, cfg.Epoch, cfg.Self = f.digest(), f.Epoch, self
	cfg.Origin = wire.Mark{Seq: wire.Seq(f.Origin.Seq), Digest: wire.Digest(f.Origin.Root)}
	for _, r := range f.Replicas {
		cfg.Members = append(cfg.Members, r.Key.Public())
	}
	return cfg
}

// crashDomain distinguishes the clusters whose replicas only crash from all others under every signature (F5).
const crashDomain = "tagma/crash/1"

// digest identifies the cluster in signatures and journals. It is the cluster's id, or a hash of the id if the
// cluster's replicas only crash. So a message or record that was signed under one fault model is refused under the
// other one.
func (f *File) digest() wire.Digest {
	if f.Protocol.FaultModel == CrashOnly {
		return sha256.Sum256(append([]byte(crashDomain), f.ID[:]...))
	}
	return wire.Digest(f.ID)
}

// admits returns which keys may send requests: those of registered clients (C1).
func (f *File) admits() func(wire.PublicKey) bool {
	registered := make(map[wire.PublicKey]bool, len(f.Clients))
	for _, c := range f.Clients {
		registered[c.Key.Public()] = true
	}
	return func(k wire.PublicKey) bool { return registered[k] }
}

// MayBackUp reports whether a client may take a backup of the whole state.
func (f *File) MayBackUp(key wire.PublicKey) bool {
	return slices.ContainsFunc(f.Clients, func(c Client) bool { return c.Backup && c.Key.Public() == key })
}

// administrators lists the keys of all clients with that role, in ascending order.
func (f *File) administrators() (all []Key) {
	for _, c := range f.Clients {
		if c.Role == Administrator {
			all = append(all, c.Key)
		}
	}
	slices.SortFunc(all, func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
	return all
}

// Replica finds the member with this public key, so that a home's key alone tells which replica it belongs to.
func (f *File) Replica(key [32]byte) (id int, found bool) {
	for i, r := range f.Replicas {
		if r.Key == key {
			return i, true
		}
	}
	return 0, false
}

// ClientNumber is a client's place in the list of clients.
func (f *File) ClientNumber(key wire.PublicKey) (number int, known bool) {
	i := slices.IndexFunc(f.Clients, func(c Client) bool { return c.Key.Public() == key })
	return i, i >= 0
}

// ClientName finds the name under which a client key is registered.
func (f *File) ClientName(key [32]byte) (name string, found bool) {
	for _, c := range f.Clients {
		if c.Key == key {
			return c.Name, true
		}
	}
	return "", false
}

// Members lists the replicas by number with their addresses, as package network needs them.
func (f *File) Members() []network.Member {
	members := make([]network.Member, len(f.Replicas))
	for i, r := range f.Replicas {
		members[i] = network.Member{Key: r.Key, Addrs: r.Addresses}
	}
	return members
}

// Greeting is what both ends of a link say first: the cluster's id and the fingerprint. Ends whose greetings differ
// refuse each other at once, because they could not work together.
func (f *File) Greeting() []byte {
	print := f.Fingerprint()
	return append(append(make([]byte, 0, len(f.ID)+len(print)), f.ID[:]...), print[:]...)
}

// PeerGreeting is what replicas say to each other first: the greeting and, if there are refused requests, a hash of
// their list. Clients need not know that list, so an operator can change it on the replicas alone.
func (f *File) PeerGreeting() []byte {
	greeting := f.Greeting()
	if len(f.Refused) == 0 {
		return greeting
	}
	h := sha256.New()
	h.Write([]byte(refusedDomain))
	for _, digest := range f.sortedRefused() {
		h.Write(digest[:])
	}
	return h.Sum(greeting)
}

const refusedDomain = "tagma/refused/1"

// sortedRefused is the list in sorted order, because its order in the file has no meaning.
func (f *File) sortedRefused() []Key {
	return slices.SortedFunc(slices.Values(f.Refused), func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
}

// OtherRefused reports whether a peer that sent another greeting differs only in the list of refused requests.
func (f *File) OtherRefused(theirs []byte) bool {
	ours := f.Greeting()
	return bytes.HasPrefix(theirs, ours) && (len(theirs) == len(ours) || len(theirs) == len(ours)+sha256.Size)
}

// Limits are the state machine's limits in the file.
func (f *File) Limits() statemachine.Limits {
	limits := f.Protocol.WithDefaults().Limits()
	limits.Cluster = f.digest()
	for _, digest := range f.Refused {
		limits.Refused = append(limits.Refused, digest)
	}
	for _, key := range f.administrators() {
		limits.Administrators = append(limits.Administrators, key)
	}
	return limits
}

// checkAddress returns why others could not dial an address. It must be host and port over TCP or QUIC, and nothing
// else. In particular it must have no /p2p part, which names a key: the member's key in the file already says who
// listens there.
func checkAddress(s string) error {
	a, err := multiaddr.NewMultiaddr(s)
	if err != nil {
		return fmt.Errorf("%q is no multiaddr (%w); write it like /ip4/10.0.0.1/tcp/7000", s, err)
	}
	if !isHost(a[0]) || !isTransport(a[1:]) {
		return fmt.Errorf("%q is not supported; write /ip4, /ip6 or /dns4 with /tcp/PORT or /udp/PORT/quic-v1", s)
	}
	if ip, err := netip.ParseAddr(a[0].Value()); err == nil && ip.IsUnspecified() {
		return fmt.Errorf("%q means every interface, which nobody can dial; write the address that others use", s)
	}
	if name := a[0].Value(); !isIP(a[0]) && checkName(name) != nil {
		return fmt.Errorf("%q has no host that there can be (%q); write an IP address or a DNS name", s, name)
	}
	if a[1].Value() == "0" {
		return errors.New("port 0 cannot be dialled; write the port that the replica listens on")
	}
	return nil
}

func isHost(c multiaddr.Component) bool {
	switch c.Code() {
	case multiaddr.P_IP4, multiaddr.P_IP6, multiaddr.P_DNS, multiaddr.P_DNS4, multiaddr.P_DNS6:
		return true
	}
	return false
}

func isIP(c multiaddr.Component) bool {
	return c.Code() == multiaddr.P_IP4 || c.Code() == multiaddr.P_IP6
}

func isTransport(rest multiaddr.Multiaddr) bool {
	switch len(rest) {
	case 1:
		return rest[0].Code() == multiaddr.P_TCP
	case 2:
		return rest[0].Code() == multiaddr.P_UDP && rest[1].Code() == multiaddr.P_QUIC_V1
	}
	return false
}

// fingerprintDomain distinguishes this hash from every other hash in the system.
const fingerprintDomain = "tagma/cluster/1"

// Fingerprint is a hash of everything in the file that changes what replicas do: id, epoch, machine, keys, clients, who
// of them is an administrator, and protocol parameters with their defaults. Addresses, names and the order of clients
// are not in it, so that they may be edited on one replica after the other. Refused requests are not in it either:
// replicas compare them separately (PeerGreeting).
func (f *File) Fingerprint() [32]byte {
	var b []byte
	number := func(n int64) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	text := func(s string) { number(int64(len(s))); b = append(b, s...) }
	keys := func(ks []Key) {
		number(int64(len(ks)))
		for _, k := range ks {
			b = append(b, k[:]...)
		}
	}
	text(fingerprintDomain)
	b = append(b, f.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, f.Epoch)
	text(f.Machine)
	replicas := make([]Key, len(f.Replicas))
	for i, r := range f.Replicas {
		replicas[i] = r.Key
	}
	keys(replicas)
	clients := make([]Key, len(f.Clients))
	for i, c := range f.Clients {
		clients[i] = c.Key
	}
	slices.SortFunc(clients, func(a, b Key) int { return bytes.Compare(a[:], b[:]) })
	keys(clients)
	for _, s := range f.Protocol.WithDefaults().settings() {
		if s.value == 0 { // this limit is left out if it is not set, so that older files keep their fingerprint
			continue
		}
		text(s.name)
		number(s.value)
	}
	// The origin is left out if the cluster began empty, so that older files keep their fingerprint.
	if o := &f.Origin; o.Seq > 0 {
		text("origin")
		b = append(b, o.Cluster[:]...)
		b = binary.BigEndian.AppendUint64(b, o.Seq)
		b = append(b, o.Root[:]...)
	}
	if admins := f.administrators(); len(admins) > 0 { // left out without any, so that older fingerprints do not change
		text("administrators")
		keys(admins)
	}
	return sha256.Sum256(b)
}
