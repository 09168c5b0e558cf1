package link

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tagma/network"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
)

// beat is how often a hosted client is told the time.
const beat = 5 * time.Millisecond

// hosted is a malicious client on real links.
type hosted struct {
	host *network.ClientHost
	a    *Attacker

	mu     sync.Mutex // of the client, which is told the time and replies on different goroutines
	client rogues.Client
}

// FromReplica passes a reply on.
func (h *hosted) FromReplica(from int, frame []byte) {
	m, err := wire.Decode(frame)
	if reply, ok := m.(*wire.Reply); ok && err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.client.Replied(wire.ReplicaID(from), reply)
	}
}

// misbehave hosts a malicious client.
func (a *Attacker) misbehave(ctx context.Context, o Options) error {
	cfg, err := o.File.Config(0)
	if err != nil {
		return err
	}
	if o.Session == 0 {
		o.Session = wire.Session(time.Now().UnixNano())
	}
	client, err := rogues.New(o.Choice, rogues.Config{
		Cluster: cfg.Cluster, Replicas: cfg.N(), Key: o.Key.Public(), Session: o.Session,
		ViewTimeout: cfg.ViewTimeout, Operation: o.Operation,
	}, func(b []byte) wire.Signature { return o.Key.Sign(b) })
	if err != nil {
		return err
	}
	h := &hosted{client: client, a: a}
	h.host, err = network.Dial(network.ClientConfig{
		Seed: o.Key.Seed(), Members: o.File.Members(), Greeting: o.File.Greeting(),
	}, h)
	if err != nil {
		return fmt.Errorf("connect a malicious client: %w", err)
	}
	a.close = append(a.close, h.host.Close)
	a.told = func() rogues.Tally {
		h.mu.Lock()
		defer h.mu.Unlock()
		return client.Told()
	}
	a.running.Go(func() { h.run(ctx) })
	return nil
}

func (h *hosted) run(ctx context.Context) {
	if h.host.WaitConnected(ctx, 1) != nil {
		return
	}
	for began := time.Now(); pause(ctx, beat); {
		h.mu.Lock()
		parcels := h.client.Tick(time.Since(began))
		h.mu.Unlock()
		for _, p := range parcels {
			if h.host.Send(int(p.To), p.Frame) {
				h.a.frames.Add(1)
			}
		}
	}
}
