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

// Taking describes a backup to be taken from a running cluster.
type Taking struct {
	File  *cluster.File
	Key   *crypto.PrivateKey // of a client that may take backups
	Store *store.Store       // for the state: empty, or at the backup to which this one adds
	Least uint64             // the lowest acceptable checkpoint; the cluster must make one at or above it by itself

	// Progress is called with the progress of the transfer, and Liar with a replica whose answer was not part of the
	// state. Both may be nil.
	Progress func(replica.Progress)
	Liar     func(replica int, why error)
}

// pace is slower than that of a replica: a backup must hardly slow down the cluster.
var pace = replica.Pace{
	Ask: 250 * time.Millisecond, Await: 500 * time.Millisecond, Slow: 5 * time.Second, Hedge: time.Second, Stall: 15 * time.Second,
	Touch: 2 * time.Second, InFlight: 2,
}

const (
	lookEvery = 50 * time.Millisecond
	maxHeard  = 64 // frames that may wait to be processed
)

// taker runs a mover for one backup. It is the mover's host, and takes the place of the core, to which a mover usually
// reports. It runs on the goroutine of Take. Frames, and the results of jobs on other goroutines, reach it over
// channels.
type taker struct {
	Taking
	cfg   wire.Config
	holds func([]wire.Claim) bool
	host  *network.ClientHost
	heard chan heard
	ended chan func()
	jobs  int // jobs on other goroutines that have not ended
	begin time.Time

	mover   *replica.Mover
	newest  wire.StableCert // the newest certificate that was offered
	fetched wire.StableCert // certificate of the complete state
	liars   map[wire.ReplicaID]bool
}

type heard struct {
	from  int
	frame []byte
}

// FromReplica implements network.ClientHandler. If there is no room for a frame, it is dropped, and the mover asks
// again.
func (t *taker) FromReplica(from int, frame []byte) {
	select {
	case t.heard <- heard{from, frame}:
	default:
	}
}

// Take fetches the state after a stable checkpoint into the store, and compares it up to the root that a quorum signed.
// Any replica can be a donor; one that lies is noticed and excluded (X3). Take returns the certificate once the store
// is at that state. If ctx ends first, the error says what it waited for.
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

// late returns the error for a context that has ended. It says what Take was waiting for.
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

// take processes a frame of a replica. It ignores messages that are not answers, and accepts a certificate only after
// verifying its signatures.
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

// liar reports a lying replica, once.
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

// FlushAfter implements replica.Host; it does nothing, because nothing is executed here.
func (t *taker) FlushAfter(time.Duration) {}

// Now implements replica.Host.
func (t *taker) Now() time.Duration { return time.Since(t.begin) }

// Report implements replica.Host. No record has to be made durable before the switch.
func (t *taker) Report(ev port.Event) {
	if e, is := ev.(port.Transferred); is {
		t.fetched = e.Cert
	}
}

// Send implements replica.Host.
func (t *taker) Send(to wire.ReplicaID, m wire.Message) { t.host.Send(int(to), wire.Encode(m)) }
