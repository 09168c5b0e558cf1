package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/internal/driver"
	"tagma/internal/machines"
	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/network"
	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Options vary a node.
type Options struct {
	Logger *slog.Logger // nil discards
	// Replace puts another actor in the replica's place: an attacker around it. Such a node may sign contradictions: it
	// is given the replica's key to sign with, since the driver signs nothing but broadcasts. It is asked again if the
	// replica had to begin a new life.
	Replace func(*wire.Config, *pbft.Replica, func([]byte) wire.Signature) driver.Core
	// Transport puts something in the way of everything that leaves the replica: a network that loses and delays. What
	// it returns must not block, like what it is given, and may be called from several goroutines.
	Transport func(driver.Transport) driver.Transport
	// Ports puts something around what the driver works with, of each instance: what a test waits for there.
	Ports func(driver.Ports) driver.Ports
	// Machines are those that the program has. nil: the ones that ship.
	Machines machines.Set
	// Machine, if not nil, takes the place of the one that the cluster file names, on every replica.
	Machine statemachine.Machine
	// Wall is the wall clock, nil for the system's. Timeouts never look at it (T3).
	Wall func() time.Time
	// Trace is called with what happens in the replica, from several goroutines, and must not block; it may be nil.
	Trace func(trace.Event)

	batchPatience time.Duration // how long a batch may hold up the end; 0: batchPatience

	sayEvery time.Duration // how often an amnesiac says what it waits for, and looks for its journal; 0: its own measure
}

// Node is one replica with its disk and network. It runs one instance of the replica, or one after the other with an
// amnesiac between them, on the same addresses.
type Node struct {
	home       *Home
	opt        Options
	data       *replica.Home
	lanes      lanes
	out        *outlet
	outside    *outside
	transport  driver.Transport
	host       *network.Host
	witness    *witness
	counts     *counters
	log        *slog.Logger
	signatures *verification
	metrics    *metrics
	tap        *trace.Tap         // nil: nobody listens
	admin      *admin             // nil without an admin address
	stopIn     context.CancelFunc // ends waiting readers
	began      time.Time
	past       *queries
	lingering  sync.WaitGroup // what gives back what outlasted the end of an instance

	instance atomic.Pointer[instance] // nil while the replica may have forgotten what it signed
	amnesiac atomic.Pointer[amnesiac] // nil otherwise
}

// claimsRemembered is how many verified signatures are kept: certificates repeat them (S3).
const claimsRemembered = 1 << 14

// Open reads a replica's home, checks its disk and starts to listen. Run must follow.
func Open(dir string, opt Options) (n *Node, err error) {
	home, err := ReadHome(dir)
	if err != nil {
		return nil, err
	}
	if opt.Machines == nil {
		opt.Machines = machines.Shipped
	}
	if err := opt.Machines.Check(home.Cluster.Machine); err != nil && opt.Machine == nil {
		return nil, &MachineError{home.Cluster.Machine, opt.Machines.Names()}
	}
	if home.Key, err = openKey(dir); err != nil {
		return nil, err
	}
	if err := home.checkData(); err != nil {
		return nil, err
	}
	log := opt.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	routeLibraryLog(log)
	log = log.With("replica", int(home.Config.Self))
	n = &Node{
		home: home, opt: opt, data: home.data(log), lanes: newLanes(), counts: &counters{}, metrics: newMetrics(),
		log: log, began: time.Now(),
	}
	n.outside = &outside{may: home.Cluster.MayBackUp, id: replica.Outside(&home.Config)}
	n.out = &outlet{outside: n.outside, routes: newRoutes(), quarantine: newQuarantine[*network.ClientLink]()}
	n.transport = n.out
	if opt.Transport != nil {
		n.transport = opt.Transport(n.out)
	}
	if opt.Trace != nil {
		n.tapped()
	}
	n.witness = newWitness(home.path(EvidenceDir), home.Config.Self, n.counts, log)
	n.witness.recall(&home.Config)
	if err := n.wake(); err != nil {
		return nil, err
	}
	if err := n.listen(); err != nil {
		return nil, errors.Join(err, n.rest(err))
	}
	n.metrics.registry.MustRegister(newScrape(n))
	return n, nil
}

// wake starts an instance on what the disk holds, or an amnesiac if the replica may have forgotten what it signed.
func (n *Node) wake() error {
	i, err := n.newInstance()
	var lost *replica.Amnesia
	switch {
	case errors.As(err, &lost):
		n.forget(lost.Why)
		return nil
	case err != nil:
		return err
	}
	n.instance.Store(i)
	n.amnesiac.Store(nil)
	return nil
}

// rest closes the instance, if there is one.
func (n *Node) rest(why error) error {
	if i := n.instance.Load(); i != nil {
		return i.close(why)
	}
	return nil
}

func (n *Node) sign(b []byte) wire.Signature { return n.home.Key.Sign(b) }

// now is the time since the node started.
func (n *Node) now() time.Duration { return time.Since(n.began) }

// send sends a message that carries no signature of ours, to a replica or to a client that takes a backup.
func (n *Node) send(to wire.ReplicaID, m wire.Message) { n.transport.Send(to, wire.Encode(m)) }

func (n *Node) listen() (err error) {
	if err := spareDescriptors(openFilesLimit(), len(n.home.Cluster.Replicas), &n.home.Settings, n.log); err != nil {
		return err
	}
	if n.admin, err = openAdmin(n); err != nil {
		return err
	}
	cfg := &n.home.Config
	ctx, cancel := context.WithCancel(context.Background())
	n.stopIn = cancel
	n.signatures = newVerification(cfg)
	n.past = newQueries(n.queryUntil, func() bool { return n.inspection().Diverged }, func() wire.Seq { return n.inspection().Executed }, n.log)
	in := &intake{
		ctx: ctx, cfg: cfg, lanes: n.lanes, helpers: n.helpers, routes: n.out.routes, counts: n.counts, log: n.log, tap: n.tap,
		quarantine: n.out.quarantine, suspects: newQuarantine[int](),
		past:       n.past,
		signatures: n.signatures, attached: n.attached, outside: n.outside,
		reports: &reports{report: func() any { return n.Report() }}, drop: func(id int) { n.host.Drop(id) }, ready: make(chan struct{}),
	}
	if n.tap != nil {
		in.quarantine.told = func(_ *network.ClientLink, d time.Duration) {
			n.tap.Emit(&trace.Quarantined{From: trace.None, For: d.Microseconds()})
		}
		in.suspects.told = func(id int, d time.Duration) { n.tap.Emit(&trace.Quarantined{From: id, For: d.Microseconds()}) }
	}
	n.host, err = network.Listen(network.Config{
		Seed: n.home.Key.Seed(), Listen: n.home.listen(), Members: n.home.Cluster.Members(), Self: int(cfg.Self),
		AllowClient: func(k [32]byte) bool { return cfg.Client == nil || cfg.Client(k) },
		Greeting:    n.home.Cluster.Greeting(), PeerGreeting: n.home.Cluster.PeerGreeting(), Differ: n.differ,
		MaxClients: n.home.Settings.MaxClients, MaxLinksPerClient: n.home.Settings.MaxLinksPerClient,
		Logger: n.log,
	}, in)
	if err != nil {
		cancel()
		n.signatures.close()
		return errors.Join(err, n.admin.close())
	}
	n.out.host = n.host
	close(in.ready)
	return nil
}

// otherRefused goes on the name of a replica whose cluster file differs in the list of refused requests alone.
const otherRefused = "has another list of refused requests, so that it would execute what this one refuses, or the other way round:" +
	" stop every replica, give all the same refused_requests in cluster.toml, and start them"

// differ says in what a replica with another greeting differs, if that can be told.
func (n *Node) differ(theirs []byte) string {
	if n.home.Cluster.OtherRefused(theirs) {
		return otherRefused
	}
	return ""
}

// Run serves until the context ends, then stops cleanly: the journal holds all notes and the store all batches. An
// error means that the disk failed or that the state contradicts the journal, and the process must end (D6), that a batch
// does not end (a *Stuck), or that a journal that was missing is there again (replica.ErrBack), and the process is to be
// started anew.
func (n *Node) Run(ctx context.Context) error {
	n.log.Info("replica runs", "addresses", n.host.Addrs())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.live(ctx) })
	group.Go(func() error { n.admin.serve(ctx); return nil })
	err := group.Wait()
	n.stopIn()
	err = errors.Join(err, n.host.Close())
	n.signatures.close()
	end := &trace.Process{Step: trace.Stopped}
	if err != nil {
		end.Why = err.Error()
	}
	n.tap.Emit(end)
	left := n.rest(err)
	if errors.Is(left, errReadsLeft) {
		n.log.Warn(errReadsLeft.Error())
		left = nil
	}
	return errors.Join(err, left)
}

// live runs instances, and amnesiacs between them, until the context ends.
func (n *Node) live(ctx context.Context) error {
	for ctx.Err() == nil {
		if a := n.amnesiac.Load(); a != nil {
			if err := n.recall(ctx, a); err != nil {
				return err
			}
			continue
		}
		i := n.instance.Load()
		err := i.run(ctx)
		var lost *forgotten
		if !errors.As(err, &lost) {
			return err
		}
		n.instance.Store(nil)
		if err := i.close(nil); err != nil {
			return err
		}
		n.forget(replica.Proven(lost.Forgot))
	}
	return nil
}

// Addrs lists the multiaddrs this replica listens on.
func (n *Node) Addrs() []string { return n.host.Addrs() }

// Admin is the host and port of the admin address, "" without one.
func (n *Node) Admin() string { return n.admin.address() }
