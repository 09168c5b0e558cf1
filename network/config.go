package network

import (
	"fmt"
	"log/slog"
)

// Defaults of [Config] and [ClientConfig]. Bounds are per stream unless stated otherwise.
const (
	DefaultMaxFrame          = 16 << 20
	DefaultQueueBytes        = 64 << 20
	DefaultQueueFrames       = 1 << 16
	DefaultMaxClients        = 1024
	DefaultMaxLinksPerClient = 64
	DefaultMaxClientFrame    = 4 << 20
	DefaultClientQueueBytes  = 8 << 20
	DefaultClientQueueFrames = 1 << 12
)

// maxGreeting bounds a greeting, which is read when nothing but the peer's key is known about it.
const maxGreeting = 1 << 10

// Member is a replica: its ed25519 public key and its multiaddrs, the preferred one first, such as
// /ip4/10.0.0.1/tcp/7000 or /dns4/a.example/udp/7000/quic-v1. Addresses of other transports are ignored.
type Member struct {
	Key   [32]byte
	Addrs []string
}

// Config is what [Listen] needs. A zero bound means its default; sizes are in bytes.
type Config struct {
	Seed    [32]byte // ed25519 seed of this replica's key
	Listen  []string // multiaddrs of TCP or QUIC; port 0 picks a free port, see [Host.Addrs]
	Members []Member // every replica, in the order of its index, including this one
	Self    int      // index of this replica

	// AllowClient says whether a key may connect as a client; nil admits none. Several goroutines call it at once,
	// during handshakes, so it must be quick. It is not asked about members' keys, which are never clients' keys.
	AllowClient func(key [32]byte) bool

	// Greeting must be equal at both ends of a stream: cluster id and configuration fingerprint, at most 1 KiB.
	Greeting []byte
	// PeerGreeting, unless it is empty, is sent between replicas instead of Greeting: replicas may have to compare more
	// than clients do.
	PeerGreeting []byte
	// Differ, if not nil, is given another replica's greeting. It returns a text that says how the greeting differs and
	// what to do. The text completes a sentence that begins with the replica's name. If it is "", a general text is
	// used.
	Differ func(theirs []byte) string
	// OnMismatch is called when a replica's greeting differs from ours, once per peer and greeting, on a stream's
	// goroutine. It may be nil; the mismatch is logged in any case.
	OnMismatch func(replica int, theirs []byte)

	MaxFrame    int // largest frame between replicas
	QueueBytes  int // frames waiting for one replica in one lane; at least MaxFrame
	QueueFrames int

	MaxClients        int // client links in all
	MaxLinksPerClient int // client links of one key
	MaxClientFrame    int // largest frame from or to a client
	ClientQueueBytes  int // frames waiting for one client link; at least MaxClientFrame
	ClientQueueFrames int

	Logger *slog.Logger // nil discards
}

// Signer signs with an ed25519 key that this process does not hold. It is asked when a host is set up and for each
// connection.
type Signer struct {
	Public [32]byte
	Sign   func(message []byte) ([64]byte, error) // may be called from any goroutine
}

// ClientConfig is what [Dial] needs. A zero bound stands for its default.
type ClientConfig struct {
	Seed     [32]byte // ed25519 seed of the client's key
	Signer   *Signer  // instead of Seed, for a key that is not in memory
	Members  []Member // every replica, in the order of its index
	Greeting []byte   // must equal the replicas' [Config.Greeting]

	// Opening, unless it is empty, is the first frame on every connection with a replica, until [ClientHost.Open]
	// replaces it.
	Opening []byte

	// AskOnly is for a client that only asks replicas about themselves. Replicas reserve room for a few such links, so
	// that they connect even when an application has used up the links of the same key.
	AskOnly bool

	// OnMismatch is as in [Config].
	OnMismatch func(replica int, theirs []byte)

	MaxFrame    int // largest frame in either direction, like the replicas' MaxClientFrame
	QueueBytes  int // frames waiting for one replica; at least MaxFrame
	QueueFrames int

	Logger *slog.Logger // nil discards
}

func orDefault(value *int, fallback int) {
	if *value == 0 {
		*value = fallback
	}
}

func (c Config) withDefaults() Config {
	orDefault(&c.MaxFrame, DefaultMaxFrame)
	orDefault(&c.QueueBytes, max(DefaultQueueBytes, c.MaxFrame))
	orDefault(&c.QueueFrames, DefaultQueueFrames)
	orDefault(&c.MaxClients, DefaultMaxClients)
	orDefault(&c.MaxLinksPerClient, DefaultMaxLinksPerClient)
	orDefault(&c.MaxClientFrame, DefaultMaxClientFrame)
	orDefault(&c.ClientQueueBytes, max(DefaultClientQueueBytes, c.MaxClientFrame))
	orDefault(&c.ClientQueueFrames, DefaultClientQueueFrames)
	if len(c.PeerGreeting) == 0 {
		c.PeerGreeting = c.Greeting
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.AllowClient == nil {
		c.AllowClient = func([32]byte) bool { return false }
	}
	return c
}

func (c Config) validate() error {
	if c.Self < 0 || c.Self >= len(c.Members) {
		return fmt.Errorf("own index %d is not one of %d members", c.Self, len(c.Members))
	}
	if len(c.Listen) == 0 {
		return fmt.Errorf("no listen address; give one such as /ip4/0.0.0.0/tcp/7000")
	}
	if c.MaxClients < 0 || c.MaxLinksPerClient < 0 {
		return fmt.Errorf("a bound on clients is negative")
	}
	if err := checkBounds(c.PeerGreeting, c.MaxFrame, c.QueueBytes, c.QueueFrames); err != nil {
		return err
	}
	return checkBounds(c.Greeting, c.MaxClientFrame, c.ClientQueueBytes, c.ClientQueueFrames)
}

func (c ClientConfig) withDefaults() ClientConfig {
	orDefault(&c.MaxFrame, DefaultMaxClientFrame)
	orDefault(&c.QueueBytes, max(DefaultClientQueueBytes, c.MaxFrame))
	orDefault(&c.QueueFrames, DefaultClientQueueFrames)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func checkBounds(greeting []byte, maxFrame, queueBytes, queueFrames int) error {
	switch {
	case len(greeting) > maxGreeting:
		return fmt.Errorf("greeting of %d bytes; at most %d", len(greeting), maxGreeting)
	case maxFrame < 0 || queueFrames < 0 || int64(maxFrame) > 1<<31-1:
		return fmt.Errorf("frame limit %d or queue length %d out of range", maxFrame, queueFrames)
	case queueBytes < maxFrame:
		return fmt.Errorf("a queue of %d bytes cannot hold a frame of %d", queueBytes, maxFrame)
	}
	return nil
}
