package link

import (
	"context"
	"fmt"
	"time"

	"tagma/network"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
)

// beat is how often a hosted client is told the time.
const beat = 5 * time.Millisecond

// repliesWaiting is how many replies may wait for a hosted client. More are lost, as they may be on any link.
const repliesWaiting = 4096

// hosted is a malicious client on real links.
type hosted struct {
	client  rogues.Client
	host    *network.ClientHost
	replies chan heard
	asked   chan chan rogues.Tally
	a       *Attacker
}

type heard struct {
	from  wire.ReplicaID
	reply *wire.Reply
}

// FromReplica passes a reply on.
func (h *hosted) FromReplica(from int, frame []byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		return
	}
	if reply, ok := m.(*wire.Reply); ok {
		select {
		case h.replies <- heard{wire.ReplicaID(from), reply}:
		default:
		}
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
	h := &hosted{client: client, replies: make(chan heard, repliesWaiting), asked: make(chan chan rogues.Tally), a: a}
	h.host, err = network.Dial(network.ClientConfig{
		Seed: o.Key.Seed(), Members: o.File.Members(), Greeting: o.File.Greeting(),
	}, h)
	if err != nil {
		return fmt.Errorf("connect a malicious client: %w", err)
	}
	a.close = append(a.close, h.host.Close)
	ended := make(chan struct{})
	a.told = func() rogues.Tally {
		answer := make(chan rogues.Tally, 1)
		select {
		case h.asked <- answer:
			return <-answer
		case <-ended:
			return client.Told()
		}
	}
	a.running.Go(func() {
		defer close(ended)
		h.run(ctx)
	})
	return nil
}

// run owns the client: nothing else calls it while this runs.
func (h *hosted) run(ctx context.Context) {
	if h.host.WaitConnected(ctx, 1) != nil {
		return
	}
	began := time.Now()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h.send(h.client.Tick(time.Since(began)))
		case m := <-h.replies:
			h.send(h.client.Replied(m.from, m.reply))
		case answer := <-h.asked:
			answer <- h.client.Told()
		}
	}
}

func (h *hosted) send(parcels []rogues.Parcel) {
	for _, p := range parcels {
		if h.host.Send(int(p.To), p.Frame) {
			h.a.frames.Add(1)
		}
	}
}
