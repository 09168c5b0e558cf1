package rescue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/checkpoint/store"
	"tagma/crypto"
	"tagma/internal/cluster"
	"tagma/internal/replica"
	"tagma/network"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Taking is a backup to be taken from a running cluster.
type Taking struct {
	File  *cluster.File
	Key   *crypto.PrivateKey // of a client that may take backups
	Store *store.Store       // for the state: empty, or at the backup that this one adds to
	Least uint64             // the state is wanted after this sequence number or a later one; one must come without the taking

	// Progress is called with how far it is, Liar with a replica whose answer was not part of the state. Both may be nil.
	Progress func(replica.Progress)
	Liar     func(replica int, why error)
}

// pace is that of a backup: a donor gives it what the cluster has to spare.
var pace = replica.Pace{
	Ask: 250 * time.Millisecond, Await: 500 * time.Millisecond, Slow: 5 * time.Second, Hedge: time.Second, Stall: 15 * time.Second,
	Touch: 2 * time.Second, InFlight: 2,
}

const (
	lookEvery = 50 * time.Millisecond
	maxHeard  = 64 // frames that wait to be looked at
)

// taker has a mover take one backup: it is its host, and the core that it reports to. Its goroutine is that of Take; frames
// come to it over a channel, and so does what ran beside.
type taker struct {
	Taking
	cfg   wire.Config
	holds func([]wire.Claim) bool
	host  *network.ClientHost
	heard chan heard
	ended chan func()
	jobs  int // beside, that have not ended
	begin time.Time

	mover   *replica.Mover
	newest  wire.StableCert // of those that were offered
	fetched wire.StableCert // whole
	liars   map[wire.ReplicaID]bool
}

type heard struct {
	from  int
	frame []byte
}

// FromReplica implements network.ClientHandler. What finds no room is asked for again.
func (t *taker) FromReplica(from int, frame []byte) {
	select {
	case t.heard <- heard{from, frame}:
	default:
	}
}

// Take fetches the state after a stable checkpoint into the store, compared up to the root that a quorum signed: any replica
// will do, and one that lies is noticed and left out (X3). It returns the certificate once the store is at that state. When
// ctx ends before, the error says what was the matter.
func Take(ctx context.Context, what Taking) (wire.StableCert, error) {
	cfg, err := what.File.Config(0)
	if err != nil {
		return wire.StableCert{}, err
	}
	t := &taker{
		Taking: what, cfg: cfg, holds: replica.Holds(crypto.NewVerifier(0, nil)), heard: make(chan heard, maxHeard),
		ended: make(chan func()), begin: time.Now(), liars: map[wire.ReplicaID]bool{},
	}
	t.mover = replica.NewOutsider(&t.cfg, t, what.Store, pace)
	t.mover.Liar = t.liar
	t.host, err = network.Dial(network.ClientConfig{
		Seed: what.Key.Seed(), Members: what.File.Members(), Greeting: what.File.Greeting(),
	}, t)
	if err != nil {
		return wire.StableCert{}, fmt.Errorf("dial the cluster: %w", err)
	}
	err = t.run(ctx)
	t.mover.Close()
	for ; t.jobs > 0; t.jobs-- {
		(<-t.ended)()
	}
	return t.fetched, errors.Join(err, t.host.Close())
}

func (t *taker) run(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if err := t.mover.Want(t.newest, wire.Seq(max(t.Least, 1))); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return t.late(ctx.Err())
		case h := <-t.heard:
			t.take(h)
		case then := <-t.ended:
			t.jobs--
			then()
		case <-look.C:
			t.mover.Tick(t.Now())
		}
		if t.Progress != nil {
			t.Progress(t.mover.Progress())
		}
		if err := t.mover.Err(); err != nil {
			return err
		}
		if t.fetched.Seq > 0 {
			_, err := t.mover.Adopt(t.fetched.Seq)
			return err
		}
	}
}

// late says what a taking waited for.
func (t *taker) late(err error) error {
	p := t.mover.Progress()
	switch {
	case !slices.Contains(t.host.Connected(), true):
		return fmt.Errorf("%w: no replica could be reached; `tagma status` shows which run", err)
	case t.newest.Seq == 0:
		return fmt.Errorf("%w: no replica offers its state: another backup is being taken, or this client has no `backup = true` in the"+
			" cluster file of the replicas", err)
	case p.Rounds == 0:
		return fmt.Errorf("%w: no checkpoint at or above %d became stable; `tagma status` shows how far the replicas are", err, t.Least)
	default:
		return fmt.Errorf("%w: the state after %d was fetched to %.0f %%; give it more time with --timeout", err, p.Seq, 100*p.Share)
	}
}

// take looks at a frame of a replica. What is not an answer is passed over, and a certificate is believed by its signatures.
func (t *taker) take(h heard) {
	m, err := wire.Decode(h.frame)
	if err != nil {
		return
	}
	data, is := m.(*wire.Data)
	if !is {
		return
	}
	id := wire.ReplicaID(h.from)
	v, err := wire.Verify(&t.cfg, m, t.holds)
	if err != nil {
		t.mover.Blame(id, err)
		return
	}
	if data.Offer != nil && data.Offer.Seq > t.newest.Seq {
		t.newest = *data.Offer
	}
	t.mover.Data(id, v, t.Now())
}

// liar reports a replica that lies, once.
func (t *taker) liar(id wire.ReplicaID, why error) {
	if t.Liar != nil && !t.liars[id] {
		t.Liar(int(id), why)
	}
	t.liars[id] = true
}

// Beside implements replica.Host.
func (t *taker) Beside(job func() func()) {
	t.jobs++
	go func() { t.ended <- job() }()
}

// FlushAfter implements replica.Host: nothing is executed here.
func (t *taker) FlushAfter(time.Duration) {}

// Now implements replica.Host.
func (t *taker) Now() time.Duration { return time.Since(t.begin) }

// Report implements replica.Host: there is no record to be made durable before the switch.
func (t *taker) Report(ev port.Event) {
	if e, is := ev.(port.Transferred); is {
		t.fetched = e.Cert
	}
}

// Send implements replica.Host.
func (t *taker) Send(to wire.ReplicaID, m wire.Message) { t.host.Send(int(to), wire.Encode(m)) }
