package flood

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tagma/crypto"
	"tagma/network"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
)

// attack is the flooding clients at work.
type attack struct {
	cancel   context.CancelFunc
	workers  sync.WaitGroup
	flooders []*flooder
}

// flooder is a client that keeps no window and waits for nothing: it says of every request that it has the replies to
// all before it.
type flooder struct {
	host  *network.ClientHost
	valid bool
	key   *crypto.PrivateKey
	next  wire.Request
	id    wire.Digest // of the cluster

	frames         uint64 // that a link took
	executed, busy atomic.Uint64
}

// attack connects the flooding clients and lets them loose.
func (r *run) attack(ctx context.Context) (*attack, error) {
	ctx, cancel := context.WithCancel(ctx)
	a := &attack{cancel: cancel}
	for i := range r.Valid + r.Invalid {
		f, err := r.flooder(ctx, 1+r.Honest+i, i < r.Valid)
		if err != nil {
			a.end()
			return nil, err
		}
		a.flooders = append(a.flooders, f)
	}
	for _, f := range a.flooders {
		a.workers.Go(func() { f.flood(ctx, r.Requests) })
	}
	return a, nil
}

// end stops the flood and tells what it was.
func (a *attack) end() (told Attack) {
	a.cancel()
	a.workers.Wait()
	for _, f := range a.flooders {
		_ = f.host.Close() // what it sent is counted
		if !f.valid {
			told.InvalidFrames += f.frames
			continue
		}
		told.ValidFrames += f.frames
		told.Executed += f.executed.Load()
		told.Busy += f.busy.Load()
	}
	return told
}

func (r *run) flooder(ctx context.Context, number int, valid bool) (*flooder, error) {
	key, err := crypto.ReadKey(r.cluster.ClientKey(number))
	if err != nil {
		return nil, err
	}
	cfg, err := r.cluster.File.Config(0)
	if err != nil {
		return nil, err
	}
	f := &flooder{valid: valid, key: key, id: cfg.Cluster}
	f.next.ID = wire.RequestID{Client: key.Public(), Session: wire.Session(time.Now().UnixNano())}
	f.next.Ops = [][]byte{kv.Put(fmt.Appendf(nil, "flood/%d", number), make([]byte, valueBytes))}
	f.host, err = network.Dial(network.ClientConfig{
		Seed: key.Seed(), Members: r.cluster.File.Members(), Greeting: r.cluster.File.Greeting(),
		Opening: wire.Encode(&wire.Attach{Session: f.next.ID.Session}),
	}, f)
	if err != nil {
		return nil, fmt.Errorf("connect a flooding client: %w", err)
	}
	if err := f.host.WaitConnected(ctx, replicas); err != nil {
		return nil, errors.Join(fmt.Errorf("connect a flooding client: %w", err), f.host.Close())
	}
	return f, nil
}

// FromReplica counts what became of valid requests.
func (f *flooder) FromReplica(from int, frame []byte) {
	if from != 0 || !f.valid {
		return
	}
	m, err := wire.Decode(frame)
	if err != nil {
		return
	}
	switch reply, _ := m.(*wire.Reply); {
	case reply == nil:
	case reply.Outcome == wire.OutcomeExecuted:
		f.executed.Add(1)
	case reply.Outcome == wire.OutcomeBusy:
		f.busy.Add(1)
	}
}

// flood sends request after request to all replicas, as fast as the links take them, and at most so many unless that is 0.
func (f *flooder) flood(ctx context.Context, most int) {
	pause := time.NewTicker(time.Millisecond)
	defer pause.Stop()
	for n := 0; ctx.Err() == nil && (most == 0 || n < most); n++ {
		frame, taken := f.request(), false
		for id := range replicas {
			if f.host.Send(id, frame) {
				f.frames++
				taken = true
			}
		}
		if taken {
			continue
		}
		select { // every queue is full: the replicas hold this client back
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// request encodes the next request. A bad signature is another one each time, so that none is remembered as bad.
func (f *flooder) request() []byte {
	f.next.ID.T++
	f.next.AckedBelow = f.next.ID.T
	m := f.next
	wire.SignRequest(f.id, &m, func(b []byte) (sig wire.Signature) {
		if f.valid {
			return f.key.Sign(b)
		}
		copy(sig[:], b[len(b)-32:])
		return sig
	})
	return wire.Encode(&m)
}
