package network

import (
	"fmt"
	"log/slog"
)

// Defaults of [Config] and [ClientConfig]. Bounds are per stream unless said.
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

// maxGreeting bounds a greeting: it is read before anything about the peer but its key is known.
const maxGreeting = 1 << 10

// Member is a replica: its ed25519 public key and the multiaddrs it is reached at, the preferred one first, such as
// /ip4/10.0.0.1/tcp/7000 or /dns4/a.example/udp/7000/quic-v1. Addresses of other transports are passed over.
type Member struct {
	Key   [32]byte
	Addrs []string
}

// Config is what [Listen] needs. A zero bound means its default; sizes are in bytes.
type Config struct {
	Seed    [32]byte // ed25519 seed of this replica's key
	Listen  []string // multiaddrs of TCP or QUIC; port 0 picks a free one, see [Host.Addrs]
	Members []Member // every replica in the order of its index, this one included
	Self    int      // index of this replica

	// AllowClient says whether a key may connect as a client; nil admits none. It is called by several goroutines at
	// once, during handshakes, and must be quick. Members' keys are never clients' keys.
	AllowClient func(key [32]byte) bool

	// Greeting must be equal at both ends of a stream: cluster id and configuration fingerprint, at most 1 KiB.
	Greeting []byte
	// PeerGreeting, unless it is empty, is sent between replicas in place of Greeting: they may have more to compare.
	PeerGreeting []byte
	// Differ, if not nil, is given another replica's greeting and returns the end of a sentence that begins with the
	// replica's name: in what it differs, and the mend. "" stands for the usual words.
	Differ func(theirs []byte) string
	// OnMismatch is called when a replica's greeting differs from ours: once per peer and greeting, from a stream's
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

// Signer signs with an ed25519 key that its holder does not give away: when a host is set up, and for connections.
type Signer struct {
	Public [32]byte
	Sign   func(message []byte) ([64]byte, error) // may be called from any goroutine
}

// ClientConfig is what [Dial] needs. A zero bound means its default.
type ClientConfig struct {
	Seed     [32]byte // ed25519 seed of the client's key
	Signer   *Signer  // in place of Seed: a key that is not in memory
	Members  []Member // every replica in the order of its index
	Greeting []byte   // equal to the replicas' [Config.Greeting]

	// Opening, unless it is empty, is sent first on every connection with a replica, until [ClientHost.Open] changes it.
	Opening []byte

	// AskOnly is for a client that asks replicas about themselves and for nothing else: a few such links have room of
	// their own, beside those of an application that uses up what its key may have.
	AskOnly bool

	// OnMismatch is as in [Config].
	OnMismatch func(replica int, theirs []byte)

	MaxFrame    int // largest frame either way, as the replicas' MaxClientFrame
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
