package network

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait on the real network; no test needs more than a fraction of it.
const patience = 20 * time.Second

func seedOf(i byte) (seed [32]byte) {
	seed[0], seed[31] = i, 0x5a
	return seed
}

func keyOf(seed [32]byte) [32]byte {
	return [32]byte(ed25519.NewKeyFromSeed(seed[:])[ed25519.SeedSize:])
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until a condition holds that depends on the real network.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

type arrival struct {
	from  int
	link  *ClientLink
	frame []byte
}

// recorder is a Handler and a ClientHandler that passes frames to a channel. It blocks while nobody reads from the
// channel.
type recorder struct {
	replicas, clients chan arrival
	gone              chan *ClientLink
	stop              chan struct{} // closed: deliveries are discarded
	quiet             func()        // closes stop, so that no delivery blocks a host that closes
}

func newRecorder() *recorder {
	stop := make(chan struct{})
	return &recorder{
		replicas: make(chan arrival, 64), clients: make(chan arrival, 64), gone: make(chan *ClientLink, 64),
		stop: stop, quiet: sync.OnceFunc(func() { close(stop) }),
	}
}

func (r *recorder) FromReplica(from int, frame []byte) {
	select {
	case r.replicas <- arrival{from: from, frame: frame}:
	case <-r.stop:
	}
}

func (r *recorder) FromClient(link *ClientLink, frame []byte) {
	select {
	case r.clients <- arrival{link: link, frame: frame}:
	case <-r.stop:
	}
}

func (r *recorder) ClientGone(link *ClientLink) {
	select {
	case r.gone <- link:
	case <-r.stop:
	}
}

func next[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing arrived")
		panic("unreachable")
	}
}

// cluster is n hosts on the loopback. The member list must contain the ports, so each host is first started once to find
// a free port.
type cluster struct {
	members []Member
	hosts   []*Host
	heard   []*recorder
}

// overEach runs a test over each transport, as a subtest of that name.
func overEach(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, transport := range []string{"tcp", "quic"} {
		t.Run(transport, test)
	}
}

// anyPort returns the address on which a test's host listens. It is over the transport after which the subtest is named,
// or otherwise over TCP.
func anyPort(t testing.TB) string {
	if strings.Contains(t.Name()+"/", "/quic/") {
		return "/ip4/127.0.0.1/udp/0/quic-v1"
	}
	return "/ip4/127.0.0.1/tcp/0"
}

func freeMembers(t testing.TB, n int) []Member {
	t.Helper()
	members := make([]Member, n)
	var finders []*Host
	for i := range members {
		seed := seedOf(byte(i))
		members[i] = Member{Key: keyOf(seed)}
		h, err := Listen(Config{
			Seed: seed, Listen: []string{anyPort(t)}, Members: []Member{members[i]},
		}, newRecorder())
		if err != nil {
			t.Fatal(err)
		}
		members[i].Addrs = h.Addrs()
		finders = append(finders, h)
	}
	for _, h := range finders {
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return members
}

func configOf(members []Member, self int) Config {
	return Config{
		Seed: seedOf(byte(self)), Listen: members[self].Addrs, Members: members, Self: self,
		Greeting: []byte("cluster"),
	}
}

func startHost(t testing.TB, cfg Config, handler *recorder) *Host {
	t.Helper()
	h, err := Listen(cfg, handler)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		handler.quiet()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// startCluster starts n connected hosts; adjust may change each configuration.
func startCluster(t testing.TB, n int, adjust func(*Config)) *cluster {
	t.Helper()
	c := &cluster{members: freeMembers(t, n)}
	for i := range n {
		cfg := configOf(c.members, i)
		if adjust != nil {
			adjust(&cfg)
		}
		handler := newRecorder()
		c.heard = append(c.heard, handler)
		c.hosts = append(c.hosts, startHost(t, cfg, handler))
	}
	for _, h := range c.hosts {
		if err := h.WaitConnected(within(t), n-1); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *cluster) dial(t testing.TB, seed [32]byte, adjust func(*ClientConfig)) (*ClientHost, *recorder) {
	t.Helper()
	cfg := ClientConfig{Seed: seed, Members: c.members, Greeting: []byte("cluster")}
	if adjust != nil {
		adjust(&cfg)
	}
	handler := newRecorder()
	client, err := Dial(cfg, handler)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		handler.quiet()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client, handler
}

func admit(keys ...[32]byte) func(*Config) {
	return func(cfg *Config) {
		cfg.AllowClient = func(key [32]byte) bool {
			for _, k := range keys {
				if k == key {
					return true
				}
			}
			return false
		}
	}
}

// lines is a log that tests read.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
