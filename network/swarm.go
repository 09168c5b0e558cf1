package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	setupTimeout  = 5 * time.Second // for each dial, each handshake and each greeting
	probeInterval = 5 * time.Second
	probeTimeout  = 10 * time.Second
	// noisePlaintext is what one Noise message carries; a yamux message of at most that size fits in one.
	noisePlaintext = 0xffff - 16
	streamsPerConn = 8
)

// transport is a swarm, together with everything that must be closed with it.
type transport struct {
	*swarm.Swarm
	store   peerstore.Peerstore
	limits  network.ResourceManager
	sockets *quicreuse.ConnManager // of QUIC
	closing sync.Once              // of the sockets
	lookup  func(ctx context.Context, family, name string) ([]netip.Addr, error)

	aiming sync.Mutex
	aims   map[peer.ID][]ma.Multiaddr // the addresses of each member at the last attempt to reach it
}

// newTransport builds the libp2p host: TCP with Noise and yamux, QUIC, the allow-list and the limits. It closes limits
// if it fails, and when the transport is closed.
func newTransport(own identity, gate *gater, limits network.ResourceManager) (*transport, error) {
	store, err := newPeerstore(own)
	if err != nil {
		return nil, errors.Join(err, limits.Close())
	}
	t := &transport{
		store: store, limits: limits, lookup: net.DefaultResolver.LookupNetIP, aims: make(map[peer.ID][]ma.Multiaddr),
	}
	t.Swarm, err = swarm.NewSwarm(own.id, store, eventbus.NewBus(),
		swarm.WithConnectionGater(gate),
		swarm.WithResourceManager(limits),
		swarm.WithDialTimeout(setupTimeout),
		swarm.WithDialTimeoutLocal(setupTimeout),
		swarm.WithDialRanker(t.rank),
		// Black-hole detection would stop dialling members because other members are down.
		swarm.WithUDPBlackHoleSuccessCounter(nil),
		swarm.WithIPv6BlackHoleSuccessCounter(nil))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the libp2p swarm: %w", err), store.Close(), limits.Close())
	}
	if err := errors.Join(t.addTCP(own, gate), t.addQUIC(own, gate)); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func newPeerstore(own identity) (peerstore.Peerstore, error) {
	store, err := pstoremem.NewPeerstore()
	if err != nil {
		return nil, fmt.Errorf("make the peer store: %w", err)
	}
	if err := store.AddPrivKey(own.id, own.private); err != nil {
		return nil, errors.Join(fmt.Errorf("store the own key: %w", err), store.Close())
	}
	return store, nil
}

func (t *transport) addTCP(own identity, gate *gater) error {
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: newMuxer()}}
	secure, err := noise.New(noise.ID, own.private, muxers)
	if err != nil {
		return fmt.Errorf("set up Noise: %w", err)
	}
	up, err := upgrader.New([]sec.SecureTransport{secure}, muxers, nil, t.limits, gate,
		upgrader.WithAcceptTimeout(setupTimeout))
	if err != nil {
		return fmt.Errorf("set up the connection upgrader: %w", err)
	}
	// With port reuse, a second process could listen on this one's address and take half of its peers.
	link, err := tcp.NewTCPTransport(up, t.limits, nil, tcp.DisableReuseport(), tcp.WithConnectionTimeout(setupTimeout))
	if err != nil {
		return fmt.Errorf("set up TCP: %w", err)
	}
	return t.AddTransport(link)
}

func newMuxer() *yamux.Transport {
	config := *yamux.DefaultTransport
	config.KeepAliveInterval = probeInterval
	config.ConnectionWriteTimeout = probeTimeout
	config.MaxStreamWindowSize = streamWindow
	config.MaxMessageSize = noisePlaintext
	config.MaxIncomingStreams = streamsPerConn
	return &config
}

// close ends every connection and waits for libp2p's own goroutines.
func (t *transport) close() error {
	return errors.Join(t.Swarm.Close(), t.closeSockets(), t.limits.Close(), t.store.Close())
}
