package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/multiformats/go-multistream"
)

// The protocols. A number changes when frames or greetings are carried in another way.
const (
	replicaProtocol protocol.ID = "/tagma/replica/2"
	bulkProtocol    protocol.ID = "/tagma/bulk/2"
	clientProtocol  protocol.ID = "/tagma/client/1"
	askProtocol     protocol.ID = "/tagma/ask/1"

	// Version 1 does not distinguish two processes under one key. It is used with replicas that do not know version 2.
	replicaProtocol1 protocol.ID = "/tagma/replica/1"
	bulkProtocol1    protocol.ID = "/tagma/bulk/1"
)

// olderProtocol is the protocol to use with a peer that does not know the newer one.
var olderProtocol = map[protocol.ID]protocol.ID{
	replicaProtocol: replicaProtocol1, bulkProtocol: bulkProtocol1, askProtocol: clientProtocol,
}

// connect makes a connection with a member unless there is one already.
func (t *transport) connect(ctx context.Context, to remote) error {
	if t.Connectedness(to.id) == network.Connected {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if err := t.aim(ctx, to); err != nil {
		return reachError(to, err)
	}
	// After a failure the swarm would refuse to dial for at least five seconds. This package decides itself when to dial
	// again.
	t.Backoff().Clear(to.id)
	if _, err := t.DialPeer(ctx, to.id); err != nil {
		return reachError(to, err)
	}
	return nil
}

// open opens a stream to a connected member and agrees with it on a protocol. If that fails, the connection is closed:
// it may be dead without anybody having noticed.
func (t *transport) open(ctx context.Context, to remote, proto protocol.ID) (network.Stream, error) {
	ctx, cancel := context.WithTimeout(network.WithNoDial(ctx, "connect dials"), setupTimeout)
	defer cancel()
	stream, err := t.NewStream(ctx, to.id)
	if err != nil {
		return nil, reachError(to, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() }) // also if the host closes
	err = stream.SetDeadline(time.Now().Add(setupTimeout))
	if err == nil {
		proto, err = agree(proto, stream)
	}
	if err == nil {
		err = stream.SetProtocol(proto)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = stream.Conn().Close() // ends the stream as well
		return nil, refusedError(to, err)
	}
	return stream, nil
}

// agree proposes a protocol, and then the older one if the peer does not know the first.
func agree(proto protocol.ID, stream network.Stream) (protocol.ID, error) {
	older, ok := olderProtocol[proto]
	if !ok {
		return proto, multistream.SelectProtoOrFail(proto, stream)
	}
	return multistream.SelectOneOf([]protocol.ID{proto, older}, stream)
}

// reachError describes in one line why a member could not be reached, and distinguishes that from a member that hung up.
func reachError(to remote, err error) error {
	var dial *swarm.DialError
	var name *net.DNSError
	switch {
	case errors.As(err, &dial) && len(dial.DialErrors) > 0:
		first := dial.DialErrors[0]
		return fmt.Errorf("%s cannot be reached at %s: %w", to, first.Address, first.Cause)
	case errors.As(err, &dial) || errors.As(err, &name) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s cannot be reached: %w", to, err)
	}
	return refusedError(to, err)
}

// refusedError is the error for a member that proved its key and then hung up, as it does when its allow-list lacks our key.
func refusedError(to remote, err error) error {
	return fmt.Errorf("%s ended the connection at once; does it list this key? (%w)", to, err)
}

// accept agrees on a protocol with a peer that opened a stream.
func accept(stream network.Stream, offered *multistream.MultistreamMuxer[protocol.ID]) (protocol.ID, error) {
	if err := stream.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return "", err
	}
	proto, _, err := offered.Negotiate(stream)
	if err != nil {
		return "", err
	}
	return proto, stream.SetProtocol(proto)
}
