package link

import (
	"context"
	"errors"
	"fmt"
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
	Session   wire.Session // of a malicious client; 0: its starting time
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

// Attacker is an attack under way.
type Attacker struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
	close   []func() error

	streams, refused, frames, dropped atomic.Uint64
	held, mostHeld                    atomic.Int64
	told                              func() rogues.Tally
}

// OnLinks reports whether a behaviour of replicas is one that Start runs beside an honest replica's process.
func OnLinks(c tamper.Choice) bool { return c.Name == "malformed" || c.Name == tamper.Exhaust }

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

// Dormant is an attack, or a malicious client, that can be begun and ended again and again. Its methods may be called from
// any goroutine, and on nil, which is an attack that nobody makes.
type Dormant struct {
	options Options

	mu       sync.Mutex
	attacker *Attacker // nil while it sleeps
	past     Tally     // what it did when it was awake before
}

// NewDormant returns an attack that sleeps.
func NewDormant(o Options) *Dormant { return &Dormant{options: o} }

// Wake begins or ends the attack.
func (d *Dormant) Wake(on bool) error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if on == (d.attacker != nil) {
		return nil
	}
	if on {
		a, err := Start(d.options)
		d.attacker = a
		return err
	}
	told, err := d.attacker.Stop()
	d.past.add(told)
	d.attacker = nil
	return err
}

// Acts counts what was done to others so far.
func (d *Dormant) Acts() uint64 {
	told := d.Told()
	return told.Acts()
}

// Told is what the attack has been so far, whenever it was awake.
func (d *Dormant) Told() (sum Tally) {
	if d == nil {
		return sum
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if sum.add(d.past); d.attacker != nil {
		sum.add(d.attacker.Told())
	}
	return sum
}

// add sums two attacks up.
func (t *Tally) add(o Tally) {
	t.Streams, t.Refused, t.Frames, t.Dropped = t.Streams+o.Streams, t.Refused+o.Refused, t.Frames+o.Frames, t.Dropped+o.Dropped
	t.Held = max(t.Held, o.Held)
	t.Client.Parcels, t.Client.Lies = t.Client.Parcels+o.Client.Parcels, t.Client.Lies+o.Client.Lies
	if t.Client.Outcomes == nil {
		t.Client.Outcomes = make(map[wire.Outcome]uint64)
	}
	for outcome, n := range o.Client.Outcomes {
		t.Client.Outcomes[outcome] += n
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
