package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// dialStagger is how long an address is dialled alone before the next one in the list is dialled too. If it fails
	// earlier, the next one is dialled at once.
	dialStagger = 250 * time.Millisecond
	// maxAddrsPerName bounds how many addresses of one DNS name are used.
	maxAddrsPerName = 8
)

var errNoAddress = errors.New("no TCP or QUIC address; " +
	"give one such as /ip4/10.0.0.1/tcp/7000 or /dns4/a.example/udp/7000/quic-v1")

// parseAddrs parses multiaddrs and skips those of transports that this package does not implement.
func parseAddrs(texts []string) ([]ma.Multiaddr, error) {
	var addrs []ma.Multiaddr
	for _, text := range texts {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, fmt.Errorf("address %q is no multiaddr such as /ip4/10.0.0.1/tcp/7000: %w", text, err)
		}
		if spoken(addr) {
			addrs = append(addrs, addr)
		}
	}
	return addrs, nil
}

// CheckListen reports why no replica could listen on these addresses, on whatever machine it runs.
func CheckListen(texts []string) error {
	for _, text := range texts {
		addrs, err := parseAddrs([]string{text})
		switch {
		case err != nil:
			return err
		case len(addrs) == 0:
			return fmt.Errorf("address %q: %w", text, errNoAddress)
		}
	}
	return nil
}

// spoken reports whether an address consists of a host and a port of TCP or of QUIC version 1.
func spoken(addr ma.Multiaddr) bool {
	switch len(addr) {
	case 2:
		return addr[1].Code() == ma.P_TCP
	case 3:
		return addr[1].Code() == ma.P_UDP && addr[2].Code() == ma.P_QUIC_V1
	}
	return false
}

// family is the kind of IP address to which the DNS name in an address resolves; ok is false for an IP address.
func family(addr ma.Multiaddr) (ip string, ok bool) {
	switch addr[0].Code() {
	case ma.P_DNS:
		return "ip", true
	case ma.P_DNS4:
		return "ip4", true
	case ma.P_DNS6:
		return "ip6", true
	}
	return "", false
}

// resolve replaces DNS names by their present IP addresses, and keeps the order of the list. A name that cannot be
// resolved is an error only if no address is left.
func (t *transport) resolve(ctx context.Context, addrs []ma.Multiaddr) ([]ma.Multiaddr, error) {
	var found []ma.Multiaddr
	var failed error
	for _, addr := range addrs {
		kind, name := family(addr)
		if !name {
			found = append(found, addr)
			continue
		}
		ips, err := t.lookup(ctx, kind, addr[0].Value())
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("resolve %s: %w", addr, err))
			continue
		}
		for _, ip := range ips[:min(len(ips), maxAddrsPerName)] {
			found = append(found, withIP(ip, addr))
		}
	}
	if len(found) == 0 {
		return nil, failed
	}
	return found, nil
}

// withIP is addr with its DNS name replaced by an IP address.
func withIP(ip netip.Addr, addr ma.Multiaddr) ma.Multiaddr {
	kind := "/ip6/"
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		kind = "/ip4/"
	}
	return append(ma.StringCast(kind+ip.String()), addr[1:]...)
}

// aim gives the swarm the present addresses of a member. Names are resolved again for every attempt to connect, because
// their addresses change.
func (t *transport) aim(ctx context.Context, to remote) error {
	addrs, err := t.resolve(ctx, to.addrs)
	if err != nil {
		return err
	}
	t.aiming.Lock()
	t.aims[to.id] = addrs
	t.aiming.Unlock()
	t.store.SetAddrs(to.id, addrs, peerstore.PermanentAddrTTL)
	for _, old := range t.store.Addrs(to.id) { // only now, so that a concurrent dial never finds the list empty
		if !slices.ContainsFunc(addrs, old.Equal) {
			t.store.SetAddr(to.id, old, 0)
		}
	}
	return nil
}

// rank makes the swarm dial a member's addresses in the order of the configuration, each dialStagger after the one before.
func (t *transport) rank(addrs []ma.Multiaddr) []network.AddrDelay {
	t.aiming.Lock()
	defer t.aiming.Unlock()
	ranked := make([]network.AddrDelay, len(addrs))
	for i, addr := range addrs {
		ranked[i] = network.AddrDelay{Addr: addr, Delay: time.Duration(place(t.aims, addr)) * dialStagger}
	}
	slices.SortFunc(ranked, func(a, b network.AddrDelay) int { return int(a.Delay - b.Delay) })
	return ranked
}

// place is the position of an address in its member's list. If the address is not in the list, it was just replaced.
func place(aims map[peer.ID][]ma.Multiaddr, addr ma.Multiaddr) int {
	longest := 0
	for _, listed := range aims {
		if i := slices.IndexFunc(listed, addr.Equal); i >= 0 {
			return i
		}
		longest = max(longest, len(listed))
	}
	return longest
}
