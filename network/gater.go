package network

import (
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater is the allow-list: it lets members in and out, registered clients in, and nobody else. It decides as soon as
// the handshake has proved the peer's key, before a multiplexer or a stream exists.
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

// InterceptPeerDial refuses to dial anybody but another member.
func (g *gater) InterceptPeerDial(p peer.ID) bool {
	_, member := g.members[p]
	return member && p != g.self
}

// InterceptAddrDial allows every address: they come from the configuration only.
func (g *gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept allows every address: who is behind it is not known yet, and the resource manager limits how many.
func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured is the decision: the key is proved. A second process under this host's own key is refused too.
func (g *gater) InterceptSecured(dir network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	if p == g.self {
		return false
	}
	if _, member := g.members[p]; member {
		return true
	}
	return dir == network.DirInbound && g.isClient(p)
}

// InterceptUpgraded has nothing to add.
func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

func (g *gater) isClient(p peer.ID) bool {
	key, ok := keyOfID(p)
	return ok && g.allowClient != nil && g.allowClient(key)
}
