package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/internal/machines"
	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/network"
	"tagma/pbft"
	"tagma/pbft/driver"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Options vary a node.
type Options struct {
	Logger *slog.Logger // nil discards
	// Replace returns an actor that runs in place of the replica's core, such as an attacker that wraps the core. Such a
	// node may sign contradicting messages. The attacker gets a function that signs with the replica's key, because the
	// driver signs only broadcasts. Replace is called again if the replica had to begin a new life.
	Replace func(*wire.Config, *pbft.Replica, func([]byte) wire.Signature) driver.Core
	// Transport wraps everything that the replica sends, for example to lose and delay messages. The returned transport,
	// like the given one, must not block and may be called from several goroutines.
	Transport func(driver.Transport) driver.Transport
	// Ports wraps the driver's ports of each instance, so that a test can wait for what happens there.
	Ports func(driver.Ports) driver.Ports
	// Machines are the machines that the program has; nil stands for those that ship with it.
	Machines machines.Set
	// Machine, if not nil, replaces the machine that the cluster file names; every replica must then have the same one.
	Machine statemachine.Machine
	// Wall is the wall clock; nil stands for the system's. Timeouts do not use it (T3).
	Wall func() time.Time
	// Trace, if not nil, is called for each event of the replica. Several goroutines call it, and it must not block.
	Trace func(trace.Event)

	batchPatience time.Duration // how long the end waits for the batch that is being executed; 0: batchPatience

	sayEvery time.Duration // how often an amnesiac logs what it waits for and looks for its journal; 0: its default
}

// Node is one replica with its disk and network. It runs one instance of the replica, or several after each other, with
// an amnesiac in between, on the same addresses.
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
	tap        *trace.Tap
	admin      *admin             // nil without an admin address
	stopIn     context.CancelFunc // makes waiting readers end
	began      time.Time
	past       *queries
	watches    *watches
	lingering  sync.WaitGroup // counts the goroutines that still close what was in use when an instance ended

	instance atomic.Pointer[instance] // nil while the replica may have forgotten what it signed
	amnesiac atomic.Pointer[amnesiac] // nil except while the replica may have forgotten what it signed
}

// claimsRemembered is how many verified signatures are remembered, because certificates repeat them (S3).
const claimsRemembered = 1 << 14

// Open reads a replica's home, checks its disk and begins to listen. The caller must then call Run.
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
		home: home, opt: opt, data: home.data(log), lanes: newLanes(), counts: &counters{peers: make([]byCause, home.Config.N())}, metrics: newMetrics(),
		log: log, began: time.Now(),
	}
	n.outside = &outside{may: home.Cluster.MayBackUp, id: replica.Outside(&home.Config)}
	n.out = &outlet{outside: n.outside, routes: newRoutes(), quarantine: newQuarantine[*network.ClientLink]()}
	n.transport = n.out
	if opt.Transport != nil {
		n.transport = opt.Transport(n.out)
	}
	n.tapped()
	n.watches = newWatches(home.Settings.MaxWatches, n.follow, func() bool { return n.inspection().Diverged },
		func() bool { return n.past.rests.lately() }, log)
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

// wake starts an instance with what is on the disk. If the replica may have forgotten what it signed, it starts an
// amnesiac instead.
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

// rest closes the instance if there is one.
func (n *Node) rest(why error) error {
	if i := n.instance.Load(); i != nil {
		return i.close(why)
	}
	return nil
}

func (n *Node) sign(b []byte) wire.Signature { return n.home.Key.Sign(b) }

// now is the time since the node started.
func (n *Node) now() time.Duration { return time.Since(n.began) }

// send sends a message that this replica does not sign to a replica, or to the client that takes a backup.
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
		past: n.past, vouch: &vouch{n.past, n}, watches: n.watches,
		signatures: n.signatures, attached: n.attached, outside: n.outside,
		reports: &reports{report: func() any { return n.Report() }}, drop: func(id int) { n.host.Drop(id) }, ready: make(chan struct{}),
	}
	in.quarantine.told = func(_ *network.ClientLink, d time.Duration) {
		n.tap.Emit(&trace.Quarantined{From: trace.None, For: d.Microseconds()})
	}
	in.suspects.told = func(id int, d time.Duration) { n.tap.Emit(&trace.Quarantined{From: id, For: d.Microseconds()}) }
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

// otherRefused follows the name of a replica whose cluster file differs only in the list of refused requests.
const otherRefused = "has another list of refused requests, so that it would execute what this one refuses, or the other way round:" +
	" stop every replica, give all the same refused_requests in cluster.toml, and start them"

// differ says in which respect another replica's greeting differs. It returns "" if that cannot be determined.
func (n *Node) differ(theirs []byte) string {
	if n.home.Cluster.OtherRefused(theirs) {
		return otherRefused
	}
	return ""
}

// Run serves until the context ends, and then stops cleanly: the journal holds all notes and the store all batches. An
// error has one of three meanings. The disk failed or the state contradicts the journal: the process must end (D6). A
// batch does not end (a *Stuck). A journal that was missing is there again (replica.ErrBack): the process must be started
// again.
func (n *Node) Run(ctx context.Context) error {
	n.log.Info("replica runs", "addresses", n.host.Addrs())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.live(ctx) })
	group.Go(func() error { n.admin.serve(ctx); return nil })
	group.Go(func() error { n.watches.run(ctx); return nil })
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

// live runs an instance, or an amnesiac if the replica may have forgotten what it signed, and then the next one, until
// the context ends.
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
		n.forget(lost.why)
	}
	return nil
}

// Addrs lists the multiaddrs on which this replica listens.
func (n *Node) Addrs() []string { return n.host.Addrs() }

// Admin is the host and port of the admin address; "" if there is none.
func (n *Node) Admin() string { return n.admin.address() }
