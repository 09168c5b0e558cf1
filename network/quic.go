package network

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/libp2p/go-libp2p/core/network"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/quic-go/quic-go"
)

// addQUIC adds QUIC beside TCP. All connections of a host share one socket for each IP version. If each dial had its
// own socket, every reconnection would leak one, because quicreuse closes such a socket only when the dial fails.
func (t *transport) addQUIC(own identity, gate *gater) error {
	quietBufferWarning()
	resetKey, err := deriveKey(own, "tagma quic stateless reset")
	if err != nil {
		return err
	}
	tokenKey, err := deriveKey(own, "tagma quic address token")
	if err != nil {
		return err
	}
	t.sockets, err = quicreuse.NewConnManager(quic.StatelessResetKey(resetKey), quic.TokenGeneratorKey(tokenKey),
		quicreuse.ConnContext(t.countHandshake),
		quicreuse.VerifySourceAddress(t.limits.VerifySourceAddress))
	if err != nil {
		return fmt.Errorf("set up QUIC's sockets: %w", err)
	}
	link, err := libp2pquic.NewTransport(own.private, t.sockets, nil, gate, t.limits)
	if err != nil {
		return fmt.Errorf("set up QUIC: %w", err)
	}
	return t.AddTransport(link)
}

// countHandshake charges a connection to the limits before its handshake, because a stranger could start many handshakes.
func (t *transport) countHandshake(ctx context.Context, from *quic.ClientInfo) (context.Context, error) {
	addr, err := quicreuse.ToQuicMultiaddr(from.RemoteAddr, quic.Version1)
	if err != nil {
		return ctx, fmt.Errorf("name the address %s: %w", from.RemoteAddr, err)
	}
	scope, err := t.limits.OpenConnection(network.DirInbound, false, addr)
	if err != nil {
		return ctx, err
	}
	context.AfterFunc(ctx, scope.Done)
	return network.WithConnManagementScope(ctx, scope), nil
}

// deriveKey derives a secret that stays the same when the replica restarts. The restarted replica can then answer
// packets of an old connection with a reset that the peer believes, so that the peer reconnects at once. A client whose
// key is held elsewhere has a new secret each time, which does no harm, because nobody dials a client.
func deriveKey(own identity, purpose string) (key [32]byte, err error) {
	raw, err := own.private.Raw()
	if errors.Is(err, errNoSecret) {
		_, _ = rand.Read(key[:]) // never fails
		return key, nil
	}
	if err != nil {
		return key, fmt.Errorf("read the own key: %w", err)
	}
	derived, err := hkdf.Key(sha256.New, raw, nil, purpose, len(key))
	if err != nil {
		return key, fmt.Errorf("derive the key %q: %w", purpose, err)
	}
	return [32]byte(derived), nil
}

// quietBufferWarning keeps quic-go from writing to the standard logger that the kernel's receive buffer is small, a
// line that SetLibraryLog cannot filter. An operator who wants that line can set the variable.
func quietBufferWarning() {
	const variable = "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING"
	if _, set := os.LookupEnv(variable); !set {
		_ = os.Setenv(variable, "true") // fails only for an invalid name
	}
}

// closeSockets releases QUIC's sockets, after the swarm has closed its connections. It does so only once, because
// quicreuse panics the second time.
func (t *transport) closeSockets() (err error) {
	t.closing.Do(func() {
		if t.sockets == nil {
			return
		}
		if err = t.sockets.Close(); err != nil {
			err = fmt.Errorf("close QUIC's sockets: %w", err)
		}
	})
	return err
}
