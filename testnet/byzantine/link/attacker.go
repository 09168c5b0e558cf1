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

// Options say who attacks which replicas, and how.
type Options struct {
	File   *cluster.File
	Key    *crypto.PrivateKey // the key of a replica, of a client, or one that no replica knows
	Choice tamper.Choice      // a behaviour of clients, or a behaviour of replicas that attacks links
	// Operation returns the n-th operation of a malicious client. All operations differ.
	Operation func(n uint64) []byte
	Burdens   rogues.Burdens
}

// Tally counts what an attacker did, and how replicas reacted. All counters are sums over all replicas.
type Tally struct {
	Streams uint64       `json:"streams"` // streams that a replica served
	Refused uint64       `json:"refused"` // connections and streams that a replica refused
	Frames  uint64       `json:"frames"`  // hostile frames that could be written to a link
	Dropped uint64       `json:"dropped"` // streams that a replica ended
	Held    uint64       `json:"held"`    // the most streams that were open at once
	Client  rogues.Tally `json:"client"`  // what a malicious client did
}

// OnLinks reports whether a behaviour of replicas is an attack on links. Such an attack runs beside the process of an
// honest replica, with its key.
func OnLinks(c tamper.Choice) bool { return c.Name == "malformed" || c.Name == tamper.Exhaust }

// Dormant is an attack, or a malicious client, that can be started and stopped repeatedly. Attacks on links work with
// any key; malicious clients need a key that the cluster admits. Its methods may be called from any goroutine. A nil
// Dormant is an attack that does nothing.
type Dormant struct {
	options Options

	mu      sync.Mutex
	cancel  context.CancelFunc // nil while it sleeps
	close   []func() error     // these functions close everything that the attack has open
	running sync.WaitGroup
	told    func() rogues.Tally // returns the counts of the malicious client that runs now; nil: none runs
	past    rogues.Tally        // the sum of the counts of malicious clients that ran before

	streams, refused, frames, dropped atomic.Uint64
	held, mostHeld                    atomic.Int64
}

// NewDormant returns an attack that is stopped.
func NewDormant(o Options) *Dormant { return &Dormant{options: o} }

// Wake starts or stops the attack.
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
		// On raw links all frames are hostile, so the parameter Every is not used.
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

// Told returns the counts of the attack so far.
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

// client returns the sum of the counts of all malicious clients so far.
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

// Acts returns how often the attack did something to others so far.
func (a *Dormant) Acts() uint64 { return a.Told().Acts() }

// hold counts a stream as open until the returned function is called.
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

// victims returns all replicas except the one whose key the attacker has, and the protocols that its key may use.
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

// pause waits a moment, and returns false if the attack ends meanwhile.
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

// Acts counts what an attack did: the lies of a malicious client that were sent, or otherwise the hostile frames that
// were sent and the streams that were served or refused. If this is 0, the attack proves nothing (I18).
func (t Tally) Acts() uint64 {
	if t.Client.Parcels > 0 {
		return min(t.Frames, t.Client.Lies)
	}
	return t.Frames + t.Streams + t.Refused
}
