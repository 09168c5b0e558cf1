package link

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multistream"

	own "tagma/network"
)

// The protocols that docs/network.md describes.
const (
	replicaProtocol protocol.ID = "/tagma/replica/1"
	bulkProtocol    protocol.ID = "/tagma/bulk/1"
	clientProtocol  protocol.ID = "/tagma/client/1"
)

// patience is the time limit of each step of opening a stream.
const patience = 5 * time.Second

// rawPeer is a libp2p peer over TCP. It has no limits and no allow-list, and need not follow any rule.
type rawPeer struct {
	*swarm.Swarm
	store    peerstore.Peerstore
	greeting []byte
}

func newRawPeer(seed [32]byte, greeting []byte) (*rawPeer, error) {
	private, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		return nil, fmt.Errorf("make the attacker's key: %w", err)
	}
	id, err := peer.IDFromPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("make the attacker's identity: %w", err)
	}
	store, err := pstoremem.NewPeerstore()
	if err != nil {
		return nil, fmt.Errorf("make the attacker's peer store: %w", err)
	}
	p := &rawPeer{store: store, greeting: greeting}
	limits := &network.NullResourceManager{}
	err = store.AddPrivKey(id, private)
	if err == nil {
		p.Swarm, err = swarm.NewSwarm(id, store, eventbus.NewBus(), swarm.WithResourceManager(limits),
			swarm.WithDialTimeout(patience), swarm.WithDialTimeoutLocal(patience))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make the attacker's swarm: %w", err), store.Close())
	}
	if err := p.addTCP(private, limits); err != nil {
		return nil, errors.Join(fmt.Errorf("give the attacker TCP: %w", err), p.close())
	}
	return p, nil
}

func (p *rawPeer) addTCP(private crypto.PrivKey, limits network.ResourceManager) error {
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: yamux.DefaultTransport}}
	secure, err := noise.New(noise.ID, private, muxers)
	if err != nil {
		return err
	}
	up, err := upgrader.New([]sec.SecureTransport{secure}, muxers, nil, limits, nil)
	if err != nil {
		return err
	}
	link, err := tcp.NewTCPTransport(up, limits, nil, tcp.DisableReuseport())
	if err != nil {
		return err
	}
	return p.AddTransport(link)
}

func (p *rawPeer) close() error { return errors.Join(p.Swarm.Close(), p.store.Close()) }

// targets returns the TCP addresses of the replicas. Attackers use no other transport.
func targets(members []own.Member) ([]peer.AddrInfo, error) {
	list := make([]peer.AddrInfo, len(members))
	for i, m := range members {
		key, err := crypto.UnmarshalEd25519PublicKey(m.Key[:])
		if err != nil {
			return nil, fmt.Errorf("replica %d: key: %w", i, err)
		}
		if list[i].ID, err = peer.IDFromPublicKey(key); err != nil {
			return nil, fmt.Errorf("replica %d: identity: %w", i, err)
		}
		for _, text := range m.Addrs {
			if addr, err := ma.NewMultiaddr(text); err == nil && len(addr) == 2 && addr[1].Code() == ma.P_TCP {
				list[i].Addrs = append(list[i].Addrs, addr)
			}
		}
		if len(list[i].Addrs) == 0 {
			return nil, fmt.Errorf("replica %d has no address of TCP; attackers speak nothing else", i)
		}
	}
	return list, nil
}

// open opens a stream to a replica, after connecting to it if necessary, and calls begin with the stream.
func (p *rawPeer) open(ctx context.Context, to peer.AddrInfo, begin func(network.Stream) error) (network.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p.store.AddAddrs(to.ID, to.Addrs, peerstore.PermanentAddrTTL)
	p.Backoff().Clear(to.ID)
	if _, err := p.DialPeer(ctx, to.ID); err != nil {
		return nil, err
	}
	stream, err := p.NewStream(ctx, to.ID)
	if err != nil {
		return nil, err
	}
	return stream, settle(stream, func() error { return begin(stream) })
}

// settle calls begin with a deadline set. It resets the stream if begin fails.
func settle(stream network.Stream, begin func() error) error {
	_ = stream.SetDeadline(time.Now().Add(patience)) // if this fails, the following calls fail, too
	err := begin()
	if err == nil {
		return stream.SetDeadline(time.Time{})
	}
	_ = stream.Reset()
	return err
}

// greeted opens a stream, agrees on a protocol and exchanges greetings. The replica then reads everything that follows
// as frames.
func (p *rawPeer) greeted(ctx context.Context, to peer.AddrInfo, proto protocol.ID) (network.Stream, error) {
	return p.open(ctx, to, func(stream network.Stream) error {
		err := multistream.SelectProtoOrFail(proto, stream)
		if err == nil {
			err = stream.SetProtocol(proto)
		}
		if err == nil {
			err = greet(stream, p.greeting)
		}
		return err
	})
}

// greet writes the greeting and waits for the replica's greeting, which is the same.
func greet(stream network.Stream, greeting []byte) error {
	_, err := stream.Write(framed(greeting))
	if err == nil {
		_, err = io.ReadFull(stream, make([]byte, 4+len(greeting)))
	}
	return err
}

// framed returns a frame with its length before it.
func framed(frame []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
}
