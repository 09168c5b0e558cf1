package assault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/protocol"

	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
)

// Options say who attacks whom, and how.
type Options struct {
	File   *cluster.File
	Key    *crypto.PrivateKey // a replica's, a client's, or nobody's
	Choice byzantine.Choice   // a behaviour of clients, or one of replicas that is about links
	// Operation returns the n-th operation of a malicious client, no two alike.
	Operation func(n uint64) []byte
	Session   wire.Session // of a malicious client; 0: its starting time
}

// Tally is what an attacker did and what was done to it. Counters are sums over all replicas.
type Tally struct {
	Streams uint64                `json:"streams"` // that a replica served
	Refused uint64                `json:"refused"` // connections and streams that it did not
	Frames  uint64                `json:"frames"`  // hostile frames that a link took
	Dropped uint64                `json:"dropped"` // streams that a replica ended
	Held    uint64                `json:"held"`    // the most streams that were open at once
	Client  byzantine.ClientTally `json:"client"`  // of a malicious client
}

// Attacker is an attack under way.
type Attacker struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	close   []func() error

	streams, refused, frames, dropped atomic.Uint64
	held, mostHeld                    atomic.Int64
	told                              func() byzantine.ClientTally
}

// OnLinks reports whether a behaviour of replicas is one that Start runs beside an honest replica's process.
func OnLinks(c byzantine.Choice) bool {
	return c.Name == "malformed" || byzantine.LinksOnly(c)
}

// Start begins an attack. It goes on until Stop. Behaviours that are about links serve every key; the others are for
// clients and need one that the cluster admits.
func Start(o Options) (*Attacker, error) {
	ctx, cancel := context.WithCancel(context.Background())
	a := &Attacker{cancel: cancel}
	if err := a.begin(ctx, o); err != nil {
		_, stopped := a.Stop()
		return nil, errors.Join(fmt.Errorf("attack with %s: %w", o.Choice.Name, err), stopped)
	}
	return a, nil
}

func (a *Attacker) begin(ctx context.Context, o Options) error {
	switch exhaustion, err := byzantine.NewExhaustion(o.Choice); {
	case err != nil:
		return err
	case exhaustion != nil:
		return a.exhaust(ctx, o, exhaustion)
	case OnLinks(o.Choice):
		return a.malform(ctx, o)
	default:
		return a.misbehave(ctx, o)
	}
}

// Stop ends the attack and tells what it was.
func (a *Attacker) Stop() (Tally, error) {
	a.cancel()
	var errs []error
	for _, shut := range a.close {
		errs = append(errs, shut())
	}
	a.close = nil
	a.running.Wait()
	return a.Told(), errors.Join(errs...)
}

// Told is what the attack has been so far.
func (a *Attacker) Told() Tally {
	t := Tally{
		Streams: a.streams.Load(), Refused: a.refused.Load(), Frames: a.frames.Load(), Dropped: a.dropped.Load(),
		Held: uint64(a.mostHeld.Load()),
	}
	if a.told != nil {
		t.Client = a.told()
	}
	return t
}

// hold counts a stream as open, until the returned function is called.
func (a *Attacker) hold() (release func()) {
	a.streams.Add(1)
	now := a.held.Add(1)
	for most := a.mostHeld.Load(); now > most && !a.mostHeld.CompareAndSwap(most, now); most = a.mostHeld.Load() {
	}
	return func() { a.held.Add(-1) }
}

// peer makes a raw peer that Stop closes.
func (a *Attacker) peer(o Options) (*rawPeer, error) {
	p, err := newRawPeer(o.Key.Seed(), o.File.Greeting())
	if err == nil {
		a.close = append(a.close, p.close)
	}
	return p, err
}

// victims are the replicas other than the attacker's own, and the protocols that its key may speak.
func victims(o Options) ([]target, []protocol.ID, error) {
	all, err := targets(o.File.Members())
	if err != nil {
		return nil, nil, err
	}
	self, member := o.File.Replica(o.Key.Public())
	if !member {
		return all, []protocol.ID{clientProtocol}, nil
	}
	return append(all[:self:self], all[self+1:]...), []protocol.ID{replicaProtocol, bulkProtocol}, nil
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
