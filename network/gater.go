package network

import (
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater is the allow-list: connections are made to members, and accepted from members and registered clients, and from
// nobody else. It decides as soon as the handshake has proved the peer's key, before a multiplexer or a stream exists.
type gater struct {
	self        peer.ID
	members     map[peer.ID]int
	allowClient func(key [32]byte) bool
}

var _ connmgr.ConnectionGater = (*gater)(nil)

func newGater(self peer.ID, members []remote, allowClient func([32]byte) bool) *gater {
	g := &gater{self: self, members: make(map[peer.ID]int, len(members)), allowClient: allowClient}
	for _, m := range members {
		g.members[m.id] = m.index
	}
	return g
}

// InterceptPeerDial refuses to dial a peer that is not another member.
func (g *gater) InterceptPeerDial(p peer.ID) bool {
	_, member := g.members[p]
	return member && p != g.self
}

// InterceptAddrDial allows every address, since addresses come only from the configuration.
func (g *gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept allows every address: the peer's key is not known yet, and the resource manager limits the number of
// connections.
func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured admits or refuses the peer, whose key is proved by now. It also refuses a second process that uses
// this host's own key.
func (g *gater) InterceptSecured(dir network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	if p == g.self {
		return false
	}
	if _, member := g.members[p]; member {
		return true
	}
	return dir == network.DirInbound && g.isClient(p)
}

// InterceptUpgraded decides nothing; it allows what InterceptSecured allowed.
func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

func (g *gater) isClient(p peer.ID) bool {
	key, ok := keyOfID(p)
	return ok && g.allowClient != nil && g.allowClient(key)
}
