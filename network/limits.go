package network

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
)

// What one peer may have. A member needs one connection and four streams. The rest is for the case that both sides dial
// at once, and for a dead connection that was not noticed yet.
const (
	memberConns    = 8
	memberStreams  = 16
	streamsPerLink = 2
	// streamWindow is how many bytes a sender may be ahead of its reader: 4 MiB per round trip, which is 40 MB/s at 100 ms.
	streamWindow = 4 << 20
	clientWindow = 1 << 20 // the expected average of a client
	// refusedAtOnce is how many further connections of one key are accepted in order to tell the client that there is
	// no room.
	refusedAtOnce = 4
)

// newResourceManager makes the limits. libp2p's defaults are meant for a public network of strangers (one new
// connection in five seconds from an address). Here every peer is known by its key, many clients may share one address,
// and all limits follow from the number of members and clients.
func newResourceManager(members []remote, maxClients, linksPerClient int) (network.ResourceManager, error) {
	n := len(members)
	handshakes := handshakesAtOnce(maxClients)
	linksPerClient += maxAskersPerKey + refusedAtOnce
	conns := Descriptors(n, maxClients)
	streams := n*memberStreams + (maxClients+maxAskers)*streamsPerLink + handshakes
	memory := int64(n)*memberStreams*streamWindow + int64(maxClients)*clientWindow + 64<<20

	limits := rcmgr.PartialLimitConfig{
		System:               bounds(conns, streams, memory),
		Transient:            bounds(handshakes, streams, 64<<20),
		AllowlistedSystem:    bounds(n*memberConns, n*memberStreams, int64(n)*memberStreams*streamWindow),
		AllowlistedTransient: bounds(n*memberConns, n*memberStreams, 64<<20),
		PeerDefault:          bounds(linksPerClient, linksPerClient*streamsPerLink, int64(linksPerClient)*streamWindow),
		Peer:                 make(map[peer.ID]rcmgr.ResourceLimits, n),
	}
	for _, m := range members {
		limits.Peer[m.id] = bounds(memberConns, memberStreams, memberStreams*streamWindow)
	}
	limiter := rcmgr.NewFixedLimiter(limits.Build(rcmgr.InfiniteLimits))
	manager, err := rcmgr.NewResourceManager(limiter,
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithConnRateLimiters(connectionRate(n+maxClients)),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: conns}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: conns}}),
		rcmgr.WithAllowlistedMultiaddrs(reserved(members)))
	if err != nil {
		return nil, fmt.Errorf("set resource limits: %w", err)
	}
	return manager, nil
}

// Descriptors is the largest number of connections, each an open file, that a host of so many members has at once.
func Descriptors(members, maxClients int) int {
	return members*memberConns + maxClients + maxAskers + handshakesAtOnce(maxClients)
}

// handshakesAtOnce bounds the connections that have not proved a key yet. A peer that is refused here tries again in a
// moment.
func handshakesAtOnce(maxClients int) int { return 64 + maxClients/8 }

func bounds(conns, streams int, memory int64) rcmgr.ResourceLimits {
	return rcmgr.BaseLimit{
		Conns: conns, ConnsInbound: conns, ConnsOutbound: conns, FD: conns,
		Streams: streams, StreamsInbound: streams, StreamsOutbound: streams,
		Memory: memory,
	}.ToResourceLimits()
}

// connectionRate bounds new connections per address: a handshake costs a signature and two key exchanges before the
// peer has proved anything. The bound allows for all peers behind one address, and for clients that connect for a
// single request each.
func connectionRate(peers int) *rate.Limiter {
	perAddress := rate.Limit{RPS: 64 + float64(peers)/16, Burst: 64 + 2*peers}
	return &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{ // no limit for connections from this machine
			{Prefix: netip.MustParsePrefix("127.0.0.0/8")},
			{Prefix: netip.MustParsePrefix("::1/128")},
		},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: perAddress}},
			IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: perAddress}},
			GracePeriod:      time.Minute,
		},
	}
}

// reserved keeps room for the members, at their configured addresses and under their keys, even when strangers or
// clients have used up the rest. A member that is known only by a DNS name has no such reserve.
func reserved(members []remote) []ma.Multiaddr {
	var addrs []ma.Multiaddr
	for _, m := range members {
		for _, addr := range m.addrs {
			ip, _ := ma.SplitFirst(addr)
			if code := ip.Protocol().Code; code != ma.P_IP4 && code != ma.P_IP6 {
				continue
			}
			addrs = append(addrs, ma.StringCast(ip.String()+"/p2p/"+m.id.String()))
		}
	}
	return addrs
}
