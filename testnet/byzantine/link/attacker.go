package link

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
)

// Options say who attacks whom, and how.
type Options struct {
	File   *cluster.File
	Key    *crypto.PrivateKey // a replica's, a client's, or nobody's
	Choice tamper.Choice      // a behaviour of clients, or one of replicas that is about links
	// Operation returns the n-th operation of a malicious client, no two alike.
	Operation func(n uint64) []byte
	Burdens   rogues.Burdens
}

// Tally is what an attacker did and what was done to it. Counters are sums over all replicas.
type Tally struct {
	Streams uint64       `json:"streams"` // that a replica served
	Refused uint64       `json:"refused"` // connections and streams that it did not
	Frames  uint64       `json:"frames"`  // hostile frames that a link took
	Dropped uint64       `json:"dropped"` // streams that a replica ended
	Held    uint64       `json:"held"`    // the most streams that were open at once
	Client  rogues.Tally `json:"client"`  // of a malicious client
}

// OnLinks reports whether a behaviour of replicas is one that an attack does beside an honest replica's process.
func OnLinks(c tamper.Choice) bool { return c.Name == "malformed" || c.Name == tamper.Exhaust }

// Dormant is an attack, or a malicious client, that can be begun and ended again and again. Behaviours that are about links
// serve every key; the others are for clients and need one that the cluster admits. Its methods may be called from any
// goroutine, and on nil, which is an attack that nobody makes.
type Dormant struct {
	options Options

	mu      sync.Mutex
	cancel  context.CancelFunc // nil while it sleeps
	close   []func() error     // of what it has open while it is awake
	running sync.WaitGroup
	told    func() rogues.Tally // of the malicious client that it is now; nil: none
	past    rogues.Tally        // of those that it was

	streams, refused, frames, dropped atomic.Uint64
	held, mostHeld                    atomic.Int64
}

// NewDormant returns an attack that sleeps.
func NewDormant(o Options) *Dormant { return &Dormant{options: o} }

// Wake begins or ends the attack.
func (a *Dormant) Wake(on bool) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case on == (a.cancel != nil):
		return nil
	case !on:
		return a.end()
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	if err := a.begin(ctx, a.options); err != nil {
		return errors.Join(fmt.Errorf("attack with %s: %w", a.options.Choice.Name, err), a.end())
	}
	return nil
}

func (a *Dormant) begin(ctx context.Context, o Options) error {
	switch o.Choice.Name {
	case tamper.Exhaust:
		e := new(tamper.Exhaustion)
		if err := tamper.Bind(e, o.Choice, nil); err != nil {
			return err
		}
		return a.exhaust(ctx, o, e)
	case "malformed":
		// How often frames are hostile is another matter on raw links.
		p := &struct {
			Every string `doc:"between frames"`
			tamper.Malformed
		}{}
		if err := tamper.Bind(p, o.Choice, nil); err != nil {
			return err
		}
		return a.malform(ctx, o, &p.Malformed)
	default:
		return a.misbehave(ctx, o)
	}
}

func (a *Dormant) end() error {
	a.cancel()
	var errs []error
	for _, shut := range a.close {
		errs = append(errs, shut())
	}
	a.running.Wait()
	a.past = a.client()
	a.cancel, a.close, a.told = nil, nil, nil
	return errors.Join(errs...)
}

// Told is what the attack has been so far, whenever it was awake.
func (a *Dormant) Told() (t Tally) {
	if a == nil {
		return t
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return Tally{
		Streams: a.streams.Load(), Refused: a.refused.Load(), Frames: a.frames.Load(), Dropped: a.dropped.Load(),
		Held: uint64(a.mostHeld.Load()), Client: a.client(),
	}
}

// client sums up the malicious clients that it was, and the one that it is.
func (a *Dormant) client() rogues.Tally {
	var now rogues.Tally
	if a.told != nil {
		now = a.told()
	}
	sum := rogues.Tally{Parcels: a.past.Parcels + now.Parcels, Lies: a.past.Lies + now.Lies, Outcomes: map[wire.Outcome]uint64{}}
	maps.Copy(sum.Outcomes, a.past.Outcomes)
	for outcome, n := range now.Outcomes {
		sum.Outcomes[outcome] += n
	}
	return sum
}

// Acts counts what was done to others so far.
func (a *Dormant) Acts() uint64 { return a.Told().Acts() }

// hold counts a stream as open, until the returned function is called.
func (a *Dormant) hold() (release func()) {
	a.streams.Add(1)
	now := a.held.Add(1)
	for most := a.mostHeld.Load(); now > most && !a.mostHeld.CompareAndSwap(most, now); most = a.mostHeld.Load() {
	}
	return func() { a.held.Add(-1) }
}

// peer makes a raw peer that is closed when the attack ends.
func (a *Dormant) peer(o Options) (*rawPeer, error) {
	p, err := newRawPeer(o.Key.Seed(), o.File.Greeting())
	if err == nil {
		a.close = append(a.close, p.close)
	}
	return p, err
}

// victims are the replicas other than the attacker's own, and the protocols that its key may speak.
func victims(o Options) ([]peer.AddrInfo, []protocol.ID, error) {
	all, err := targets(o.File.Members())
	if err != nil {
		return nil, nil, err
	}
	if self, member := o.File.Replica(o.Key.Public()); member {
		return slices.Delete(all, int(self), int(self)+1), []protocol.ID{replicaProtocol, bulkProtocol}, nil
	}
	return all, []protocol.ID{clientProtocol}, nil
}

// pause waits a moment, or until the attack ends; then it is false.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Acts sums up an attack: lies of a malicious client that a link took, else frames, and streams that were got or tried for.
// An attack without any was none (I18).
func (t Tally) Acts() uint64 {
	if t.Client.Parcels > 0 {
		return min(t.Frames, t.Client.Lies)
	}
	return t.Frames + t.Streams + t.Refused
}
