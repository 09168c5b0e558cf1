package network

import (
	"fmt"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// limitedTo is a resource manager for four members at 10.0.0.1 to 10.0.0.4, and room for clients.
func limitedTo(t *testing.T, clients, linksPerClient int) (network.ResourceManager, []remote) {
	t.Helper()
	var members []Member
	for i := range 4 {
		addr := fmt.Sprintf("/ip4/10.0.0.%d/tcp/7000", i+1)
		members = append(members, Member{Key: keyOf(seedOf(byte(i))), Addrs: []string{addr}})
	}
	remotes, err := resolveMembers(members, 0)
	if err != nil {
		t.Fatal(err)
	}
	limits, err := newResourceManager(remotes, clients, linksPerClient)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := limits.Close(); err != nil {
			t.Error(err)
		}
	})
	return limits, remotes
}

// arrive opens a connection from an address and binds it to a peer; with an empty id the handshake does not end.
func arrive(limits network.ResourceManager, addr string, id peer.ID) error {
	conn, err := limits.OpenConnection(network.DirInbound, true, ma.StringCast(addr))
	if err != nil || id == "" {
		return err
	}
	if err := conn.SetPeer(id); err != nil {
		conn.Done()
		return err
	}
	return nil
}

func idOf(t *testing.T, i int) peer.ID {
	t.Helper()
	seed := [32]byte{1: byte(i), 2: byte(i >> 8), 3: 1}
	id, err := idOfKey(keyOf(seed))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestLimits_AllClientsMayComeFromOneAddressAtOnce(t *testing.T) {
	const clients = 300 // libp2p by default allows an address 8 connections, and a new one every 5 s
	limits, _ := limitedTo(t, clients, 4)
	for i := range clients {
		if err := arrive(limits, "/ip4/192.0.2.7/tcp/4000", idOf(t, i)); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
	}
}

func TestLimits_OneClientHasABoundOfItsOwn_I14(t *testing.T) {
	limits, _ := limitedTo(t, 300, 4)
	const most = 4 + maxAskersPerKey + refusedAtOnce
	for i := range most + 1 {
		err := arrive(limits, "/ip4/192.0.2.7/tcp/4000", idOf(t, 0))
		if refused := i == most; refused != (err != nil) {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
}

func TestLimits_StrangersInHandshakeDoNotKeepMembersOut_I14(t *testing.T) {
	const clients = 16
	limits, members := limitedTo(t, clients, 4)
	stuck := 0
	for i := range 1000 {
		if arrive(limits, fmt.Sprintf("/ip4/198.51.%d.%d/tcp/4000", i/250, i%250), "") == nil {
			stuck++
		}
	}
	if stuck != handshakesAtOnce(clients) {
		t.Fatalf("%d handshakes at once, want %d", stuck, handshakesAtOnce(clients))
	}
	if err := arrive(limits, "/ip4/192.0.2.7/tcp/4000", idOf(t, 0)); err == nil {
		t.Fatal("there should be no room for a client")
	}
	for i, m := range members {
		if err := arrive(limits, fmt.Sprintf("/ip4/10.0.0.%d/tcp/4000", i+1), m.id); err != nil {
			t.Fatalf("member %d: %v", i, err)
		}
	}
}

func TestLimits_ClientLinksAreBoundedInAllAndPerKey_I14(t *testing.T) {
	links := newClientLinks(3, 2)
	link := func(key byte) *ClientLink { return &ClientLink{key: [32]byte{key}} }
	a1, a2, b1 := link('a'), link('a'), link('b')
	for _, l := range []*ClientLink{a1, a2} {
		if links.add(l) != nil {
			t.Fatal("no room for the first two")
		}
	}
	if links.add(link('a')) == nil {
		t.Fatal("a third link of one key")
	}
	if links.add(b1) != nil || links.add(link('c')) == nil {
		t.Fatal("three links in all, not two nor four")
	}
	if links.remove(a1) || !links.remove(a2) {
		t.Fatal("only the second is the last link of its key")
	}
	if links.add(link('c')) != nil || links.state().Links != 2 {
		t.Fatalf("room was not given back: %+v", links.state())
	}
}
