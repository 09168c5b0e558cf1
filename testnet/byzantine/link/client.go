package link

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"tagma/network"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
)

// beat is the time between two calls of a client's Tick.
const beat = 5 * time.Millisecond

// hosted is a malicious client that runs over real links.
type hosted struct {
	host *network.ClientHost
	a    *Dormant

	mu     sync.Mutex // guards the client, which one goroutine calls for ticks and another one for replies
	client rogues.Client
	began  time.Time
}

// FromReplica passes a reply on.
func (h *hosted) FromReplica(from int, frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch m := m.(type) {
	case *wire.Reply:
		h.client.Replied(wire.ReplicaID(from), m)
	case *wire.QueryReply:
		if reader, reads := h.client.(rogues.Reader); reads {
			reader.Asked(wire.ReplicaID(from), m, time.Since(h.began))
		}
	default: // malicious clients take no other message
	}
}

// misbehave hosts a malicious client.
func (a *Dormant) misbehave(ctx context.Context, o Options) error {
	cfg, err := o.config()
	if err != nil {
		return err
	}
	client, err := rogues.New(o.Choice, cfg, o.sign)
	if err != nil {
		return err
	}
	h := &hosted{client: client, a: a, began: time.Now()}
	if err := h.dial(o); err != nil {
		return err
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

// dial connects the client to the replicas. The client signs with the same key with which it connects.
func (h *hosted) dial(o Options) (err error) {
	h.host, err = network.Dial(network.ClientConfig{
		Seed: o.Key.Seed(), Members: o.File.Members(), Greeting: o.File.Greeting(),
	}, h)
	if err != nil {
		return fmt.Errorf("connect a malicious client: %w", err)
	}
	return nil
}

func (h *hosted) run(ctx context.Context) {
	if h.host.WaitConnected(ctx, 1) != nil {
		return
	}
	for pause(ctx, beat) {
		h.mu.Lock()
		parcels := h.client.Tick(time.Since(h.began))
		h.mu.Unlock()
		for _, p := range parcels {
			if h.host.Send(int(p.To), p.Frame) {
				h.a.frames.Add(1)
			}
		}
	}
}

// config returns what a malicious client knows about its cluster.
func (o *Options) config() (rogues.Config, error) {
	cfg, err := o.File.Config(0)
	return rogues.Config{
		Cluster: cfg.Cluster, Replicas: cfg.N(), Key: o.Key.Public(), Session: wire.Session(time.Now().UnixNano()),
		ViewTimeout: cfg.ViewTimeout, Operation: o.Operation, Burdens: o.Burdens,
	}, err
}

func (o *Options) sign(b []byte) wire.Signature { return o.Key.Sign(b) }

// Asker is a client on real links that sends only what the test tells it to send. Its methods may be called from any
// goroutine.
type Asker struct {
	hosted
	client *rogues.Asker
}

// NewAsker connects an Asker. Of the options it needs only the cluster file and the key. The caller must call Close.
func NewAsker(o Options) (*Asker, error) {
	cfg, err := o.config()
	if err != nil {
		return nil, err
	}
	a := &Asker{client: rogues.NewAsker(cfg, o.sign)}
	a.hosted.client = a.client
	if err := a.dial(o); err != nil {
		return nil, err
	}
	return a, nil
}

// Ask sends a request. Before that, it waits until ctx ends for links to all replicas that must get the request.
func (a *Asker) Ask(ctx context.Context, q *rogues.Ask) error {
	for lacks(a.host.Connected(), q.To) {
		if !pause(ctx, beat) {
			return fmt.Errorf("it has no link to all of %v: %w", q.To, ctx.Err())
		}
	}
	a.mu.Lock()
	parcels := a.client.Ask(q)
	a.mu.Unlock()
	var lost []wire.ReplicaID
	for i, p := range parcels {
		if wanted := i >= len(parcels)-len(q.To); !a.host.Send(int(p.To), p.Frame) && wanted {
			lost = append(lost, p.To)
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("the links to %v did not take it", lost)
	}
	return nil
}

func lacks(connected []bool, ids []wire.ReplicaID) bool {
	return slices.ContainsFunc(ids, func(id wire.ReplicaID) bool { return !connected[id] })
}

// Answers returns how many replicas have answered a request with each outcome so far.
func (a *Asker) Answers(q *rogues.Ask) map[wire.Outcome]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.client.Answers(q)
}

// Close ends the Asker's links.
func (a *Asker) Close() error { return a.host.Close() }
