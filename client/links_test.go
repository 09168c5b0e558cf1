package client

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tagma/internal/cluster"
	"tagma/network"
	"tagma/pbft/wire"
)

// parrot is a replica on a real link that answers every request as if it had executed it. It does not relay requests
// to the others. So the others answer only after the client has sent the request to all replicas.
type parrot struct{ lies bool }

func (parrot) FromReplica(int, []byte)        {}
func (parrot) ClientGone(*network.ClientLink) {}

func (p parrot) FromClient(from *network.ClientLink, frame []byte) {
	m, err := wire.Decode(frame)
	r, ok := m.(*wire.Request)
	if err != nil || !ok || from.Key() != r.ID.Client {
		return
	}
	results := r.Ops
	if p.lies {
		results = [][]byte{[]byte("forged")}
	}
	reply := &wire.Reply{ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: wire.Seq(r.ID.T), Results: results}
	from.Send(wire.Encode(reply))
}

// The client works over real links: it accepts the replicas' keys and greetings, outvotes a liar, and continues when
// a replica disconnects. Close leaves no goroutine or link.
func TestDial_WorksOverRealLinks(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	made, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"alice"}})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := made.File.Config(0)
	if err != nil {
		t.Fatal(err)
	}
	hosts := make([]*network.Host, 4)
	for i := range hosts {
		hosts[i], err = network.Listen(network.Config{
			Seed: made.Replicas[i].Seed(), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Members: made.File.Members(), Self: i,
			AllowClient: func(key [32]byte) bool { return cfg.Client(key) }, Greeting: made.File.Greeting(),
		}, parrot{lies: i == 2})
		if err != nil {
			t.Fatal(err)
		}
		defer hosts[i].Close() //nolint:errcheck // one of them may be closed already
	}
	for i, h := range hosts {
		made.File.Replicas[i].Addresses = h.Addrs()
	}
	ctx, cancel := contextFor(t, 30*time.Second)
	defer cancel()
	c, err := DialCluster(ctx, outsideOf(made), keyOf(made.Clients[0]))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if i == 1 {
			if err := hosts[0].Close(); err != nil { // the primary of view 0
				t.Fatal(err)
			}
		}
		op := fmt.Sprint("op ", i)
		if r, err := c.Do(ctx, []byte(op)); err != nil || string(r.Output()) != op {
			t.Fatalf("%s: %q, %v", op, r.Output(), err)
		}
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
