package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/internal/driver"
	"tagma/internal/machines"
	"tagma/network"
	"tagma/pbft"
	"tagma/statemachine"
)

// Options vary a node.
type Options struct {
	Logger *slog.Logger // nil discards
	// Replace puts another actor in the replica's place: an attacker around it. Such a node may sign contradictions: it is
	// given the replica's key to sign with, since the driver signs nothing but broadcasts.
	Replace func(*pbft.Config, *pbft.Replica, func([]byte) pbft.Signature) driver.Core
	// Transport puts something in the way of everything that leaves the replica: a network that loses and delays. What it
	// returns must not block, like what it is given.
	Transport func(driver.Transport) driver.Transport
	// Wall is the wall clock, nil for the system's. Timeouts never look at it (T3).
	Wall func() time.Time
}

// Node is one replica with its disk and network.
type Node struct {
	home       *Home
	disk       *disk
	votes      *votes
	host       *network.Host
	loop       *loop
	executor   *executor
	witness    *witness
	counts     *counters
	log        *slog.Logger
	signatures *verification
	metrics    *metrics
	probe      *probe
	admin      *admin             // nil without an admin address
	stopIn     context.CancelFunc // ends waiting readers
}

// claimsRemembered is how many verified signatures are kept: certificates repeat them (S3).
const claimsRemembered = 1 << 14

// Open reads a replica's home, checks its disk and starts to listen. Run must follow.
func Open(dir string, opt Options) (n *Node, err error) {
	home, err := ReadHome(dir)
	if err != nil {
		return nil, err
	}
	if home.Key, err = openKey(dir); err != nil {
		return nil, err
	}
	log := opt.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	routeLibraryLog(log)
	log = log.With("replica", int(home.Config.Self))
	disk, err := openDisk(home, log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, disk.close())
		}
	}()
	n = &Node{home: home, disk: disk, counts: &counters{}, metrics: newMetrics(), log: log}
	service, err := n.serve()
	if err != nil {
		return nil, err
	}
	if err := n.connect(service, opt); err != nil {
		service.Close()
		return nil, err
	}
	return n, nil
}

// serve puts the state machine on the store, at the state that was verified.
func (n *Node) serve() (*statemachine.Service, error) {
	machine, err := machines.ByName(n.home.Cluster.Machine)
	if err != nil {
		return nil, err
	}
	protocol := n.home.Cluster.Protocol.WithDefaults()
	service, err := statemachine.New(machine, n.disk.store, statemachine.Limits{
		Window: uint64(protocol.Window), Sessions: protocol.Sessions, MaxResultBytes: n.home.Config.MaxResultBytes,
	})
	if err != nil {
		return nil, err
	}
	service.ObservePanics(n.panicked)
	if err := service.Load(uint64(n.disk.applied.Seq)); err != nil {
		return nil, err
	}
	return service, nil
}

// panicked tells of an application's panic. Clients can cause as many as they like, so ever fewer of them are logged.
func (n *Node) panicked(p statemachine.Panic) {
	if count := n.counts.panics.Add(1); count&(count-1) == 0 {
		n.log.Error("the application panicked: the operation failed on every replica, nothing it wrote is kept",
			"seq", p.Seq, "value", fmt.Sprint(p.Value), "so_far", count, "stack", string(p.Stack))
	}
}

// connect wires the parts and opens the network.
func (n *Node) connect(service *statemachine.Service, opt Options) error {
	cfg := &n.home.Config
	n.witness = newWitness(n.home.path(EvidenceDir), n.counts, n.log)
	n.votes = newVotes(n.disk.journal)
	way := newLanes(cfg)
	n.executor = newExecutor(cfg, service, n.disk.store, way.executed)
	out := &outlet{routes: newRoutes(), quarantine: newQuarantine[*network.ClientLink]()}
	var transport driver.Transport = out
	if opt.Transport != nil {
		transport = opt.Transport(out)
	}
	core, guard := driver.Core(n.disk.replica), driver.NewGuard(cfg, n.disk.log)
	if opt.Replace != nil {
		core, guard = opt.Replace(cfg, n.disk.replica, n.sign), nil
	}
	n.probe = newProbe(cfg, core, n.metrics)
	ports := driver.Ports{
		Journal: timedJournal{n.votes, n.metrics}, Signer: n.home.Key, Transport: probedTransport{transport, n.probe},
		Machine: n.executor, Observer: n.witness, Guard: guard,
	}
	n.loop = &loop{
		lanes: way, driver: driver.New(cfg, n.probe, ports), replica: n.disk.replica,
		tick: tickFor(cfg.ViewTimeout), began: time.Now(), wall: opt.Wall,
	}
	n.loop.show()
	n.disk.log = nil
	if err := n.listen(out, way); err != nil {
		return err
	}
	n.metrics.registry.MustRegister(newScrape(n))
	return nil
}

func (n *Node) sign(b []byte) pbft.Signature { return n.home.Key.Sign(b) }

func (n *Node) listen(out *outlet, way lanes) (err error) {
	if n.admin, err = openAdmin(n); err != nil {
		return err
	}
	cfg := &n.home.Config
	ctx, cancel := context.WithCancel(context.Background())
	n.stopIn = cancel
	n.signatures = newVerification(cfg)
	in := &intake{
		ctx: ctx, cfg: cfg, lanes: way, routes: out.routes, counts: n.counts, log: n.log,
		quarantine: out.quarantine, suspects: newQuarantine[int](),
		past:       newQueries(n.executor.service.QueryUntil, func() bool { return n.loop.shown.Load().Diverged }, n.log),
		signatures: n.signatures,
		report:     func() any { return n.Report() }, drop: func(id int) { n.host.Drop(id) }, ready: make(chan struct{}),
	}
	n.host, err = network.Listen(network.Config{
		Seed: n.home.Key.Seed(), Listen: n.home.listen(), Members: n.home.Cluster.Members(), Self: int(cfg.Self),
		AllowClient: func(k [32]byte) bool { return cfg.Client == nil || cfg.Client(k) },
		Greeting:    n.home.Cluster.Greeting(),
		MaxClients:  n.home.Settings.MaxClients,
		Logger:      n.log,
		OnMismatch:  n.mismatch,
	}, in)
	if err != nil {
		cancel()
		n.signatures.close()
		return errors.Join(err, n.admin.close())
	}
	out.host = n.host
	close(in.ready)
	return nil
}

func (n *Node) mismatch(replica int, theirs []byte) {
	n.log.Error("a replica has another cluster.toml, so nothing is exchanged with it: compare the files",
		"peer", replica, "theirs", hex.EncodeToString(theirs), "ours", hex.EncodeToString(n.home.Cluster.Greeting()))
}

// Run serves until the context ends, then stops cleanly: the journal holds all notes and the store all batches. An error
// means that the disk failed or that the state contradicts the journal; the process must end (D6).
func (n *Node) Run(ctx context.Context) error {
	n.log.Info("replica runs", "addresses", n.host.Addrs(), "view", uint64(n.loop.shown.Load().View),
		"executed", uint64(n.disk.applied.Seq))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.loop.run(ctx) })
	group.Go(func() error { return n.executor.run(ctx) })
	group.Go(func() error { return n.votes.prepare(ctx, n.log) })
	group.Go(func() error { n.admin.serve(ctx); return nil })
	err := group.Wait()
	n.stopIn()
	err = errors.Join(err, n.host.Close())
	n.signatures.close()
	if err == nil {
		if err = n.executor.service.Flush(); err != nil {
			err = fmt.Errorf("write to the store: %w", err)
		}
	}
	n.executor.service.Close()
	if err != nil {
		n.disk.abandon()
		return err
	}
	return n.disk.close()
}

// Addrs lists the multiaddrs this replica listens on.
func (n *Node) Addrs() []string { return n.host.Addrs() }

// Admin is the host and port of the admin address, "" without one.
func (n *Node) Admin() string { return n.admin.address() }
