package client

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"tagma/internal/cluster"
	"tagma/network"
	"tagma/pbft/wire"
)

// town is a cluster on real links. A request that reaches one replica is executed by all. Each replica answers over
// the link on which the session was announced to it, if there is one. The first session has expired.
type town struct {
	mu    sync.Mutex
	first wire.Session
	links [4]map[wire.Session]*network.ClientLink
}

// resident is one replica of a town.
type resident struct {
	*town
	self int
}

func (resident) FromReplica(int, []byte)        {}
func (resident) ClientGone(*network.ClientLink) {}

func (p resident) FromClient(from *network.ClientLink, frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m := m.(type) {
	case *wire.Attach:
		if p.first == 0 {
			p.first = m.Session
		}
		p.links[p.self][m.Session] = from
	case *wire.Request:
		reply := &wire.Reply{ID: m.ID, Request: m.Digest(), Outcome: wire.OutcomeExecuted, Seq: 1, Results: m.Ops}
		if m.ID.Session == p.first {
			reply.Outcome, reply.Seq, reply.Results = wire.OutcomeExpired, 0, nil
		}
		for _, links := range p.links {
			if link := links[m.ID.Session]; link != nil {
				link.Send(wire.Encode(reply))
			}
		}
	default:
	}
}

// allGreeted reports whether every replica has been told of a session.
func (p *town) allGreeted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !slices.ContainsFunc(p.links[:], func(links map[wire.Session]*network.ClientLink) bool { return len(links) == 0 })
}

// C1, C7: when a replica restarts, the client tells it of its new session as soon as they are connected. Without
// that, a request that is sent only once would reach only the primary, and one answer would not be enough.
func TestC1_AReplicaThatComesBackLearnsOfTheFreshSession(t *testing.T) {
	made, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := made.File.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	place := &town{}
	start := func(i int, listen []string) *network.Host {
		place.mu.Lock()
		place.links[i] = map[wire.Session]*network.ClientLink{}
		place.mu.Unlock()
		h, err := network.Listen(network.Config{
			Seed: made.Replicas[i].Seed(), Listen: listen, Members: made.File.Members(), Self: i,
			AllowClient: func(key [32]byte) bool { return cfg.Client(key) }, Greeting: made.File.Greeting(),
		}, resident{place, i})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	hosts := make([]*network.Host, 4)
	for i := range hosts {
		hosts[i] = start(i, []string{"/ip4/127.0.0.1/tcp/0"})
		made.File.Replicas[i].Addresses = hosts[i].Addrs()
	}
	defer func() {
		for _, h := range hosts {
			_ = h.Close()
		}
	}()
	ctx, cancel := contextFor(t, 20*time.Second)
	defer cancel()
	c, err := DialCluster(ctx, outsideOf(made), keyOf(made.Clients[0]), WithSemantics(AtMostOnce))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the test is over
	if _, err := c.Do(ctx, []byte("a"), Under(ExactlyOnce)); !errors.Is(err, ErrExpired) {
		t.Fatalf("in the first session: %v", err)
	}
	for i := 1; i < 4; i++ {
		if err := hosts[i].Close(); err != nil {
			t.Fatal(err)
		}
		hosts[i] = start(i, made.File.Replicas[i].Addresses)
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !place.allGreeted() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the client does not come back")
		}
	}
	if r, err := c.Do(ctx, []byte("b")); err != nil || string(r.Output()) != "b" {
		t.Errorf("in the fresh session: %q, %v", r.Output(), err)
	}
}
