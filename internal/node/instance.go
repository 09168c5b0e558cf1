package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// instance is one run of a replica: what its disk holds, and the parts that work on it.
type instance struct {
	node    *Node
	disk    *replica.Disk
	service *statemachine.Service
	machine *machine
	giver   *giver
	loop    *loop
	probe   *probe
	spare   chan struct{} // a value asks to make the file of the journal's next segment; holds at most one
	behind  chan struct{} // a value asks to write the journal in the background; holds at most one (D8.14)
	scrubs  scrubs
	damaged func(context.Context) // tells the core that the stored state is damaged

	ended   chan struct{} // closed when queries must end
	reading sync.RWMutex  // held for reading by queries; held for writing to close the service
	closed  bool

	over  chan struct{} // closed when no part is running any more
	stuck bool          // a part did not end when it should have
}

// forgotten is the error with which an instance ends if another replica holds a signed statement of this one that its
// journal lacks (D8.5).
type forgotten struct{ why string }

// Error is the explanation for an operator.
func (f *forgotten) Error() string { return f.why }

// newInstance opens the disk and makes the parts of a replica that work on it. The error may be a *replica.Amnesia.
func (n *Node) newInstance() (*instance, error) {
	disk, err := replica.Open(n.data)
	if err != nil {
		return nil, err
	}
	i := &instance{
		node: n, disk: disk, spare: make(chan struct{}, 1), behind: make(chan struct{}, 1), ended: make(chan struct{}),
		over: make(chan struct{}),
	}
	if i.service, err = n.serve(disk); err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	i.spare <- struct{}{}
	disk.Votes.Rotated, disk.Votes.Waits = wish(i.spare), wish(i.behind)
	i.connect()
	return i, nil
}

// wish returns a function that asks another goroutine to do some work. If it is called again before the work was begun,
// that counts as one call.
func wish(to chan struct{}) func() {
	return func() {
		select {
		case to <- struct{}{}:
		default:
		}
	}
}

// serve connects the state machine with the store, at the verified state.
func (n *Node) serve(disk *replica.Disk) (*statemachine.Service, error) {
	machine := n.opt.Machine
	if machine == nil {
		var err error
		if machine, err = n.opt.Machines.New(n.home.Cluster.Machine, n.home.Cluster.Protocol.Kept()); err != nil {
			return nil, err
		}
	}
	return disk.Serve(machine, n.home.Cluster.Limits(), n.panicked)
}

// panicked logs a panic of the application. Clients can cause any number of panics, so fewer and fewer of them are logged.
func (n *Node) panicked(p statemachine.Panic) {
	if count := n.counts.panics.Add(1); count&(count-1) == 0 {
		n.log.Error("the application panicked: the operation failed on every replica, nothing it wrote is kept",
			"seq", p.Seq, "value", fmt.Sprint(p.Value), "so_far", count, "stack", string(p.Stack))
	}
}

// connect connects the parts with each other.
func (i *instance) connect() {
	n := i.node
	cfg := &n.home.Config
	core := driver.Core(i.disk.Replica)
	if n.opt.Replace != nil {
		core = n.opt.Replace(cfg, i.disk.Replica, n.sign)
	}
	i.probe = newProbe(cfg, core, n.metrics)
	executed := make(chan port.Event, cfg.LogWindow)
	i.giver = newGiver(cfg, replica.NewDonor(cfg, i.disk.Store, i.disk.Votes, n.send), n.now, n.metrics)
	i.machine = newMachine(cfg, i.disk.Store, i.service, executed, n.metrics)
	i.machine.told = n.watches.executed
	i.machine.giver, i.machine.now, i.machine.send = i.giver, n.now, n.send
	i.machine.log = &transferLog{log: n.log, metrics: n.metrics, tap: n.tap, mended: n.witness.mended}
	i.damaged = func(ctx context.Context) {
		select {
		case executed <- port.Damaged{}:
		case <-ctx.Done():
		}
	}
	i.loop = &loop{
		lanes: n.lanes, executed: executed, replica: i.disk.Replica, tick: replica.TickEvery(cfg.ViewTimeout), began: n.began, wall: n.opt.Wall, due: i.service.Due,
		linked: i.linked, changes: &changes{log: n.log, quorum: cfg.Quorum(), now: n.now},
	}
	ports := driver.Ports{
		Journal: timedJournal{i.disk.Votes, n.metrics}, Signer: n.home.Key, Transport: probedTransport{n.transport, i.probe},
		Machine: i.machine, Observers: []driver.Observer{n.metrics, i.probe, loopWitness{n.witness, i.loop}, n.tap}, Log: i.disk.Log,
		Unguarded: n.opt.Replace != nil,
	}
	if n.opt.Ports != nil {
		ports = n.opt.Ports(ports)
	}
	i.loop.driver = driver.New(cfg, i.probe, ports)
	i.disk.Log = nil
	i.loop.show()
}

// linked reports whether enough other replicas are connected in both directions to answer the question of a start.
func (i *instance) linked() bool {
	up := 0
	for _, p := range i.node.host.Peers() {
		if p.Connected && p.Inbound {
			up++
		}
	}
	return up >= i.node.home.Config.Quorum()-1
}

// run works until the context ends or the replica must not continue with its journal.
func (i *instance) run(ctx context.Context) error {
	shown := i.loop.shown.Load()
	i.node.tap.Emit(&trace.Process{Step: trace.Started, View: shown.View, Seq: i.disk.Applied.Seq})
	i.node.log.Info("the replica goes on from its disk", "view", uint64(shown.View),
		"executed", uint64(i.disk.Applied.Seq), "first_start", i.disk.First)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return i.loop.run(ctx) })
	group.Go(func() error { return i.machine.run(ctx) })
	group.Go(func() error { i.giver.run(ctx); return nil })
	group.Go(func() error { i.prepare(ctx); return nil })
	group.Go(func() error { return i.writeBehind(ctx) })
	group.Go(func() error { i.scrub(ctx); return nil })
	group.Go(func() error { i.machine.watchStuck(ctx, i.node.log); return nil })
	return i.await(ctx, group.Wait)
}

// prepare zeroes the file of the journal's next segment in the background, until the context ends, so that no turn
// waits for it. If it fails, a rotation is slower or fails again itself.
func (i *instance) prepare(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-i.spare:
		}
		if err := i.disk.Votes.Prepare(); err != nil {
			i.node.log.Warn("the journal's next segment could not be prepared", "error", err)
		}
	}
}

// WriteDelay is how long the journal gathers votes before it writes them, if votes may be sent before they are durable
// (D8.14). If the process ends or the power fails, the votes of that time can be lost, and also those of the write
// before.
const WriteDelay = 10 * time.Millisecond

// writeBehind writes votes after they were sent, until the context ends. When the loop ends, it writes the rest.
func (i *instance) writeBehind(ctx context.Context) error {
	delay := time.NewTimer(WriteDelay)
	defer delay.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-i.behind:
		}
		delay.Reset(WriteDelay)
		select {
		case <-ctx.Done():
			return nil
		case <-delay.C:
		}
		if err := i.disk.Votes.Flush(); err != nil {
			return fmt.Errorf("make votes durable that have left: %w", err)
		}
	}
}

// errReadsLeft says that reads of past states did not end when they should have. Only the end of the process ends them,
// and until then the store stays open for them. All batches and votes are written.
var errReadsLeft = errors.New("reads of the past do not end, so the store stays open until the process ends")

// readsPatience is how long reads of past states may take to end. Each of them checks at its next read whether it must end.
const readsPatience = 2 * time.Second

// close closes everything after run has ended. Unless why is set, the store then holds all batches. What a part that
// did not end may still use stays open.
func (i *instance) close(why error) error {
	close(i.ended)
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		i.reading.Lock()
		i.closed = true
		i.reading.Unlock()
	}()
	if i.stuck {
		i.node.lingering.Go(func() {
			<-i.over
			<-idle
			i.service.Close()
			i.abandon()
		})
		return nil
	}
	select {
	case <-idle:
	case <-time.After(readsPatience):
		return i.leaveOpen(why)
	}
	if why != nil {
		i.service.Close()
		i.abandon()
		return nil
	}
	if err := i.service.Flush(); err != nil {
		i.service.Close()
		i.abandon()
		return fmt.Errorf("write to the store: %w", err)
	}
	i.service.Close()
	return i.disk.Close()
}

// leaveOpen does what close does if reads of past states do not end.
func (i *instance) leaveOpen(why error) error {
	err := errReadsLeft
	if why == nil {
		if failed := errors.Join(i.service.Flush(), i.disk.Votes.Close()); failed != nil {
			err = fmt.Errorf("write to the disk: %w", failed)
		}
	}
	i.node.lingering.Go(func() {
		i.reading.Lock()
		defer i.reading.Unlock()
		i.service.Close()
		i.abandon()
	})
	return err
}

// closePatience is how long closing may take after the disk has failed.
const closePatience = 2 * time.Second

// abandon closes what can still be closed after the disk has failed. If the disk is gone, badger tries for ever to write
// its memtable. Nothing depends on that write (D5), so the process ends without waiting for it.
func (i *instance) abandon() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = i.disk.Close() // the error because of which the replica stops matters more
	}()
	select {
	case <-closed:
	case <-time.After(closePatience):
	}
}

// attached answers a client's Attach from the present instance. It returns nil if there is no instance or its state is
// wrong.
func (n *Node) attached(client wire.PublicKey, m *wire.Attach) *wire.Attached {
	i := n.instance.Load()
	if i == nil || n.inspection().Diverged {
		return nil
	}
	return i.machine.executor.Attached(client, m)
}

// queryUntil reads a past state of the present instance.
func (n *Node) queryUntil(stop <-chan struct{}, op []byte, at uint64) (result []byte, err error) {
	err = n.reads(stop, func(i *instance, stop <-chan struct{}) error {
		result, err = i.service.QueryUntil(stop, op, at)
		return err
	})
	return result, err
}

// reads calls read with the present instance, which stays open meanwhile, and ends read when it must end.
func (n *Node) reads(stop <-chan struct{}, read func(i *instance, stop <-chan struct{}) error) error {
	i := n.instance.Load()
	if i == nil {
		return statemachine.ErrStopped
	}
	i.reading.RLock()
	defer i.reading.RUnlock()
	if i.closed {
		return statemachine.ErrStopped
	}
	done, either := make(chan struct{}), make(chan struct{})
	defer close(done)
	go func() {
		defer close(either)
		select {
		case <-stop:
		case <-i.ended:
		case <-done:
		}
	}()
	return read(i, either)
}

// helpers are the mailboxes for messages that the core does not see: data from donors, and questions to this replica's
// own donor. They are nil while there is no instance.
func (n *Node) helpers() (data, questions *mailbox) {
	i := n.instance.Load()
	if i == nil {
		return nil, nil
	}
	return i.machine.data, i.giver.questions
}
