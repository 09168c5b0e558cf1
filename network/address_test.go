package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
)

// unbound returns addresses of a replica, one for each transport, on which nobody listens.
func unbound(t *testing.T) []string {
	t.Helper()
	return append(freeMembers(t, 1)[0].Addrs, "/ip4/127.0.0.1/udp/1/quic-v1")
}

func connOf(t *testing.T, via *transport, to remote) ma.Multiaddr {
	t.Helper()
	conns := via.ConnsToPeer(to.id)
	if len(conns) != 1 {
		t.Fatalf("%d connections", len(conns))
	}
	return conns[0].RemoteMultiaddr()
}

// bothWays is a running replica that listens on both transports, over TCP first, and its member list.
func bothWays(t *testing.T) []Member {
	t.Helper()
	members := []Member{{Key: keyOf(seedOf(0))}}
	cfg := configOf(members, 0)
	cfg.Listen = []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}
	cfg.AllowClient = func([32]byte) bool { return true }
	addrs := startHost(t, cfg, newRecorder()).Addrs()
	if strings.Contains(addrs[0], "quic") {
		addrs[0], addrs[1] = addrs[1], addrs[0]
	}
	members[0].Addrs = addrs
	return members
}

func TestAddress_FirstListedIsDialledFirst(t *testing.T) {
	members := bothWays(t)
	tcp, quic := members[0].Addrs[0], members[0].Addrs[1]
	for _, listed := range [][]string{{tcp, quic}, {quic, tcp}} {
		members[0].Addrs = listed
		peer := newRawPeer(t, seedOf(100), members)
		peer.greeted(t, 0, clientProtocol)
		if got := connOf(t, peer.transport, peer.members[0]).String(); got != listed[0] {
			t.Errorf("of %v, %s was dialled first", listed, got)
		}
	}
}

func TestAddress_NextListedTakesOver(t *testing.T) {
	dead := unbound(t)
	members := bothWays(t)
	tcp, quic := members[0].Addrs[0], members[0].Addrs[1]
	for _, listed := range [][]string{{dead[0], quic}, {dead[1], tcp}, {"/dns4/no-such-name.invalid/tcp/1", tcp}} {
		members[0].Addrs = listed
		peer := newRawPeer(t, seedOf(100), members)
		if listed[1] == tcp && !strings.Contains(listed[0], "quic") {
			peer.lookup = func(context.Context, string, string) ([]netip.Addr, error) { return nil, errors.New("no such name") }
		}
		peer.greeted(t, 0, clientProtocol)
		if got := connOf(t, peer.transport, peer.members[0]).String(); got != listed[1] {
			t.Errorf("of %v, %s was dialled", listed, got)
		}
	}
}

// named replaces the IP address in each of a member's addresses by a name.
func named(kind, name string, addrs []string) []string {
	out := make([]string, len(addrs))
	for i, addr := range addrs {
		out[i] = strings.Replace(addr, "/ip4/127.0.0.1", "/"+kind+"/"+name, 1)
	}
	return out
}

func TestAddress_NamesAreDialledAndListenedOn(t *testing.T) {
	overEach(t, namesAreDialledAndListenedOn)
}

func namesAreDialledAndListenedOn(t *testing.T) {
	seed := seedOf(100)
	members := freeMembers(t, 2)
	for i, kind := range []string{"dns4", "dns"} {
		members[i].Addrs = named(kind, "localhost", members[i].Addrs)
	}
	c := &cluster{members: members}
	for i := range members {
		cfg := configOf(members, i)
		admit(keyOf(seed))(&cfg)
		c.hosts = append(c.hosts, startHost(t, cfg, newRecorder()))
	}
	for _, h := range c.hosts {
		if err := h.WaitConnected(within(t), 1); err != nil {
			t.Fatal(err)
		}
	}
	client, _ := c.dial(t, seed, nil)
	if err := client.WaitConnected(within(t), 2); err != nil {
		t.Fatal(err)
	}
}

func TestAddress_NamesAreResolvedAtEveryAttempt(t *testing.T) {
	members := bothWays(t)
	members[0].Addrs = named("dns4", "a.example", members[0].Addrs[:1])
	peer := newRawPeer(t, seedOf(100), members)
	at := netip.MustParseAddr("127.0.0.2")
	peer.lookup = func(_ context.Context, family, name string) ([]netip.Addr, error) {
		if family != "ip4" || name != "a.example" {
			t.Errorf("looked up %s of %s", family, name)
		}
		return []netip.Addr{at}, nil
	}
	if err := peer.connect(within(t), peer.members[0]); err == nil {
		t.Fatal("connected with an address where nobody listens")
	}
	at = netip.MustParseAddr("127.0.0.1")
	if err := peer.connect(within(t), peer.members[0]); err != nil {
		t.Fatal(err)
	}
	if known := peer.store.Addrs(peer.members[0].id); len(known) != 1 {
		t.Fatalf("the old address is kept: %v", known)
	}
}

func TestAddress_UnknownNameIsOneClearLine(t *testing.T) {
	members := []Member{{Key: keyOf(seedOf(0)), Addrs: []string{"/dns4/a.example/tcp/7000"}}}
	peer := newRawPeer(t, seedOf(100), members)
	peer.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "a.example", IsNotFound: true}
	}
	err := peer.connect(within(t), peer.members[0])
	if err == nil || !strings.Contains(err.Error(), "cannot be reached: resolve /dns4/a.example/tcp/7000: ") ||
		strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %v", err)
	}
}

func TestListen_NameOfAnotherMachineIsOneClearLine(t *testing.T) {
	peer := newRawPeer(t, seedOf(100), nil)
	peer.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	}
	err := peer.listen(within(t), []string{"/dns/a.example/tcp/7000"})
	if err == nil || !strings.Contains(err.Error(), "/dns/a.example/tcp/7000 is no address of this machine; ") {
		t.Fatalf("got %v", err)
	}
}
