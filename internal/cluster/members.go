package cluster

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/multiformats/go-multiaddr"

	"tagma/network"
)

// Members lists the replicas by number with their addresses, as the network wants them.
func (f *File) Members() []network.Member {
	members := make([]network.Member, len(f.Replicas))
	for i, r := range f.Replicas {
		members[i] = network.Member{Key: r.Key, Addrs: r.Addresses}
	}
	return members
}

// Greeting is what both ends of a link say first: the cluster's id and the fingerprint. Ends that differ refuse each
// other at once instead of talking past each other.
func (f *File) Greeting() []byte {
	print := f.Fingerprint()
	return append(append(make([]byte, 0, len(f.ID)+len(print)), f.ID[:]...), print[:]...)
}

// checkAddress reports why others could not dial an address: it must be host and port over TCP or QUIC, and nothing
// else. Who listens there is told by the replica's key, so a /p2p part could only contradict it.
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

func isTransport(rest multiaddr.Multiaddr) bool {
	switch len(rest) {
	case 1:
		return rest[0].Code() == multiaddr.P_TCP
	case 2:
		return rest[0].Code() == multiaddr.P_UDP && rest[1].Code() == multiaddr.P_QUIC_V1
	}
	return false
}
