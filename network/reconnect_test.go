package network

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"go.uber.org/goleak"
)

func TestReconnect_PeerRestartsOnTheSamePort(t *testing.T) {
	overEach(t, reconnectPeerRestartsOnTheSamePort)
}

func reconnectPeerRestartsOnTheSamePort(t *testing.T) {
	c := startCluster(t, 2, nil)
	for round := range 3 {
		if err := c.hosts[1].Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the loss is noticed", func() bool { return !c.hosts[0].peers[1].out[votes].connected() })
		if state := c.hosts[0].Peers()[1]; state.LastError == "" || state.Since.IsZero() {
			t.Fatalf("round %d: %+v", round, state)
		}
		c.hosts[0].Send(1, []byte("lost"))
		c.heard[1] = newRecorder()
		c.hosts[1] = startHost(t, configOf(c.members, 1), c.heard[1])
		for _, h := range c.hosts {
			if err := h.WaitConnected(within(t), 1); err != nil {
				t.Fatal(err)
			}
		}
		c.hosts[0].Send(1, []byte("there"))
		c.hosts[1].Send(0, []byte("back"))
		if got := next(t, c.heard[1].replicas); string(got.frame) != "there" {
			t.Fatalf("got %q: what was sent before the connection must not arrive", got.frame)
		}
		if got := next(t, c.heard[0].replicas); string(got.frame) != "back" {
			t.Fatalf("got %q", got.frame)
		}
	}
	if dropped := c.hosts[0].Peers()[1].Dropped; dropped != 3 {
		t.Fatalf("%d dropped, want one each round", dropped)
	}
}

func TestReconnect_ClientLivesWithDeadReplicasAndFindsThemLater(t *testing.T) {
	overEach(t, reconnectClientLivesWithDeadReplicasAndFindsThemLater)
}

func reconnectClientLivesWithDeadReplicasAndFindsThemLater(t *testing.T) {
	seed := seedOf(100)
	members := freeMembers(t, 4)
	c := &cluster{members: members}
	start := func(i int) {
		cfg := configOf(members, i)
		admit(keyOf(seed))(&cfg)
		c.heard = append(c.heard, newRecorder())
		c.hosts = append(c.hosts, startHost(t, cfg, c.heard[len(c.heard)-1]))
	}
	start(0)
	start(1)
	client, _ := c.dial(t, seed, nil)
	if err := client.WaitConnected(within(t), 2); err != nil {
		t.Fatal(err)
	}
	if up := client.Connected(); up[2] || up[3] || client.Send(2, []byte("x")) {
		t.Fatalf("dead replicas are connected: %v", up)
	}
	start(2)
	// libp2p's own back-off would prevent connections with a replica that was down for at least five seconds.
	soon, cancel := context.WithTimeout(within(t), swarm.BackoffBase-backoffMax)
	defer cancel()
	if err := client.WaitConnected(soon, 3); err != nil {
		t.Fatal(err)
	}
	client.Send(2, []byte("late"))
	if got := next(t, c.heard[2].clients); string(got.frame) != "late" {
		t.Fatalf("got %q", got.frame)
	}
}

func TestListen_TakenPortIsOneClearLine(t *testing.T) { overEach(t, listenTakenPortIsOneClearLine) }

func listenTakenPortIsOneClearLine(t *testing.T) {
	c := startCluster(t, 1, nil)
	other := []Member{{Key: keyOf(seedOf(9)), Addrs: c.members[0].Addrs}}
	cfg := configOf(other, 0)
	cfg.Seed = seedOf(9)
	_, err := Listen(cfg, newRecorder())
	if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), other[0].Addrs[0]) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %q", err)
	}
}

func TestListen_WrongConfigurationIsRefused(t *testing.T) {
	members := []Member{
		{Key: keyOf(seedOf(0)), Addrs: []string{"/ip4/127.0.0.1/tcp/0"}},
		{Key: keyOf(seedOf(1)), Addrs: []string{"/ip4/127.0.0.1/tcp/1"}},
	}
	for want, spoil := range map[string]func(*Config){
		"own index":           func(c *Config) { c.Self = 2 },
		"own key":             func(c *Config) { c.Seed = seedOf(7) },
		"no listen address":   func(c *Config) { c.Listen = nil },
		"same key":            func(c *Config) { c.Members = append(c.Members[:1:1], c.Members[0]) },
		"no multiaddr":        func(c *Config) { c.Members[1].Addrs = []string{"127.0.0.1:1"} },
		"no TCP or QUIC":      func(c *Config) { c.Members[1].Addrs = []string{"/ip4/127.0.0.1/udp/1"} },
		"listen addresses":    func(c *Config) { c.Listen = []string{"/ip4/127.0.0.1/tcp/1/ws"} },
		"cannot hold":         func(c *Config) { c.QueueBytes = 1 },
		"a bound on clients":  func(c *Config) { c.MaxClients = -1 },
		"range":               func(c *Config) { c.QueueFrames = -1 },
		"has no such address": func(c *Config) { c.Listen = []string{"/ip4/192.0.2.1/tcp/1"} },
	} {
		cfg := configOf([]Member{members[0], members[1]}, 0)
		spoil(&cfg)
		if _, err := Listen(cfg, newRecorder()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestClose_LeavesNoGoroutine(t *testing.T) { overEach(t, closeLeavesNoGoroutine) }

func closeLeavesNoGoroutine(t *testing.T) {
	before := goleak.IgnoreCurrent()
	seed := seedOf(100)
	members := freeMembers(t, 3)
	heard := newRecorder()
	var hosts []*Host
	for i := range 2 { // the third replica stays down, and the host continues to dial it
		cfg := configOf(members, i)
		admit(keyOf(seed))(&cfg)
		h, err := Listen(cfg, heard)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	client, err := Dial(ClientConfig{Seed: seed, Members: members, Greeting: []byte("cluster")}, heard)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.WaitConnected(within(t), 2); err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		if err := h.WaitConnected(within(t), 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range hosts {
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}

// A replica is down while a client changes its opening. When it is up, its first frame is the new opening. It never gets
// the old one again.
func TestReconnect_AClientOpensWithWhatItSaidLast(t *testing.T) {
	overEach(t, reconnectAClientOpensWithWhatItSaidLast)
}

func reconnectAClientOpensWithWhatItSaidLast(t *testing.T) {
	seed := seedOf(100)
	c := startCluster(t, 2, admit(keyOf(seed)))
	client, _ := c.dial(t, seed, func(cfg *ClientConfig) { cfg.Opening = []byte("first") })
	for _, heard := range c.heard {
		if got := next(t, heard.clients); string(got.frame) != "first" {
			t.Fatalf("opens with %q", got.frame)
		}
	}
	if err := c.hosts[1].Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is noticed", func() bool { return !client.Connected()[1] })
	client.Open([]byte("second"))
	cfg := configOf(c.members, 1)
	admit(keyOf(seed))(&cfg)
	c.heard[1] = newRecorder()
	startHost(t, cfg, c.heard[1])
	for i, heard := range c.heard {
		if got := next(t, heard.clients); string(got.frame) != "second" {
			t.Fatalf("replica %d hears %q", i, got.frame)
		}
	}
}
