package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tagma/internal/driver"
	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// instance is a replica from a start to its end: what its disk was found to hold, and the parts that work on it.
type instance struct {
	node    *Node
	disk    *replica.Disk
	service *statemachine.Service
	machine *machine
	giver   *giver
	loop    *loop
	probe   *probe
	spare   chan struct{} // asks for the file of the journal's next segment; holds one wish
	behind  chan struct{} // asks for the journal to be written in the background; holds one wish (D8.14)
	scrubs  scrubs
	damaged func(context.Context) // tells the core that the store is

	ended   chan struct{} // closed when queries must end
	reading sync.RWMutex  // held by queries; with it the service is closed
	closed  bool

	over  chan struct{} // closed when no part works any more
	stuck bool          // one did not end when it should have
}

// forgotten ends an instance: another replica holds a statement of this one that its journal lacks (D8.5).
type forgotten struct{ port.Forgot }

// Error is what an operator reads of it.
func (f *forgotten) Error() string { return replica.Proven(f.Forgot) }

// newInstance judges what the disk holds and puts the parts of a replica on it. The error may be a *replica.Amnesia.
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

// wish asks for something that is done beside the turns, once for all that asked meanwhile.
func wish(to chan struct{}) func() {
	return func() {
		select {
		case to <- struct{}{}:
		default:
		}
	}
}

// serve puts the state machine on the store, at the state that was verified.
func (n *Node) serve(disk *replica.Disk) (*statemachine.Service, error) {
	machine := n.opt.Machine
	if machine == nil {
		var err error
		if machine, err = n.opt.Machines.New(n.home.Cluster.Machine, n.home.Cluster.Protocol.History); err != nil {
			return nil, err
		}
	}
	return disk.Serve(machine, n.home.Cluster.Limits(), n.panicked)
}

// panicked logs an application's panic. Clients can cause as many as they like, so ever fewer of them are logged.
func (n *Node) panicked(p statemachine.Panic) {
	if count := n.counts.panics.Add(1); count&(count-1) == 0 {
		n.log.Error("the application panicked: the operation failed on every replica, nothing it wrote is kept",
			"seq", p.Seq, "value", fmt.Sprint(p.Value), "so_far", count, "stack", string(p.Stack))
	}
}

// connect wires the parts.
func (i *instance) connect() {
	n := i.node
	cfg := &n.home.Config
	core, guard := driver.Core(i.disk.Replica), driver.NewGuard(cfg, i.disk.Log)
	if n.opt.Replace != nil {
		core, guard = n.opt.Replace(cfg, i.disk.Replica, n.sign), nil
	}
	i.probe = newProbe(cfg, core, n.metrics)
	executed := make(chan port.Event, cfg.LogWindow)
	i.giver = newGiver(cfg, replica.NewDonor(cfg, i.disk.Store, i.disk.Votes, n.send), n.now, n.metrics)
	i.machine = newMachine(cfg, i.disk.Store, i.service, executed, n.metrics)
	i.machine.giver, i.machine.now, i.machine.send = i.giver, n.now, n.send
	i.machine.log = &transferLog{log: n.log, metrics: n.metrics, tap: n.tap, mended: n.witness.mended}
	i.damaged = func(ctx context.Context) {
		select {
		case executed <- port.Damaged{}:
		case <-ctx.Done():
		}
	}
	i.loop = &loop{
		lanes: n.lanes, executed: executed, replica: i.disk.Replica, tick: replica.TickEvery(cfg.ViewTimeout), began: n.began, wall: n.opt.Wall,
		linked: i.linked, changes: &changes{log: n.log, quorum: cfg.Quorum(), now: n.now},
	}
	ports := driver.Ports{
		Journal: timedJournal{i.disk.Votes, n.metrics}, Signer: n.home.Key, Transport: probedTransport{n.transport, i.probe},
		Machine: i.machine, Observer: loopWitness{n.witness, i.loop}, Guard: guard, Trace: n.tap,
	}
	if n.opt.Ports != nil {
		ports = n.opt.Ports(ports)
	}
	i.loop.driver = driver.New(cfg, i.probe, ports)
	i.disk.Log = nil
	i.loop.show()
}

// linked reports whether enough others are connected both ways to answer the question of a start.
func (i *instance) linked() bool {
	up := 0
	for _, p := range i.node.host.Peers() {
		if p.Connected && p.Inbound {
			up++
		}
	}
	return up >= i.node.home.Config.Quorum()-1
}

// run works until the context ends or the replica must not go on with its journal.
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

// prepare zeroes the file of the journal's next segment beside the turns until the context ends, so that no turn waits
// for it. A failure costs a slower rotation, or shows there again.
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

// WriteDelay is how long votes that may leave before they are durable gather before the journal writes them (D8.14). What a
// power cut, or the end of the process alone, can take with it is what came in that time and in that of the write before.
const WriteDelay = 10 * time.Millisecond

// writeBehind makes durable what votes have left ahead of, until the context ends. The end of the loop writes the rest.
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

// errReadsLeft says that reads of the past did not end when they should have: only the end of the process ends them, and the
// store stays open for them until then. Everything is written.
var errReadsLeft = errors.New("reads of the past do not end, so the store stays open until the process ends")

// readsPatience is how long reads of the past may take to end. Each looks whether it should when it reads.
const readsPatience = 2 * time.Second

// close gives everything back once run has ended. Without a reason to hurry the store holds all batches then. What a part
// that does not end may still touch is left to it.
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

// leaveOpen is close when reads of the past go on.
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

// closePatience is how long a failed disk may take to close.
const closePatience = 2 * time.Second

// abandon closes what a failed disk still lets close. Badger tries for ever to write its memtable to a disk that is
// gone, and nothing depends on that (D5): the end of the process does not wait for it.
func (i *instance) abandon() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = i.disk.Close() // the error that led here is the one to mend
	}()
	select {
	case <-closed:
	case <-time.After(closePatience):
	}
}

// attached answers a client's Attach from the present instance, nil if its state is none to go by.
func (n *Node) attached(client wire.PublicKey, m *wire.Attach) *wire.Attached {
	i := n.instance.Load()
	if i == nil || n.inspection().Diverged {
		return nil
	}
	return i.machine.executor.Attached(client, m)
}

// queryUntil reads a past state of the present instance.
func (n *Node) queryUntil(stop <-chan struct{}, op []byte, at uint64) ([]byte, error) {
	i := n.instance.Load()
	if i == nil {
		return nil, statemachine.ErrStopped
	}
	i.reading.RLock()
	defer i.reading.RUnlock()
	if i.closed {
		return nil, statemachine.ErrStopped
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
	return i.service.QueryUntil(either, op, at)
}

// helpers are where messages go that the core does not see: those of donors and to the own one. They are nil while
// there is no instance.
func (n *Node) helpers() (data, questions *mailbox) {
	i := n.instance.Load()
	if i == nil {
		return nil, nil
	}
	return i.machine.data, i.giver.questions
}
