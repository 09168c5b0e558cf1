package demo

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/check"
	"tagma/testnet/local"
	"tagma/testnet/observe"
	"tagma/testnet/report"
)

// run is one demonstration on its way.
type run struct {
	Options
	show     Progress
	cluster  *local.Cluster
	observer *local.Observer
	cfg      wire.Config
	watch    *observe.Watcher
	load     *workload
	lasted   time.Duration // of the workload

	killedAt, restartedAt time.Duration // since the workload began; zero: not yet
	found                 map[string]check.Found
	unread                error // why not everything could be read back
	converged             bool
	paused                time.Duration // the longest time for which this machine let us wait
	stopped               error         // why not all replicas stopped cleanly
	broke                 error         // what ended the course early
}

// Run gives the demonstration and tells what came of it. The error says why it could not be given at all; what went
// wrong in it is in the verdict.
func Run(ctx context.Context, o Options, show Progress) (*report.Document, error) {
	lie := byzantine.Choice{Name: "equivocate", Values: map[string]string{"from_seq": strconv.FormatUint(o.LieFrom, 10)}}
	c, err := local.Create(local.Options{
		Dir: o.Dir, Replicas: replicas, Protocol: o.protocol(), SegmentBytes: o.SegmentBytes,
		Malicious: map[int]byzantine.Choice{liar: lie},
	})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r := &run{Options: o, show: show, cluster: c, load: &workload{began: time.Now()}}
	if r.cfg, err = c.File.Config(0); err != nil {
		return nil, err
	}
	if r.observer, err = c.Observe(); err != nil {
		return nil, err
	}
	defer r.observer.Close() //nolint:errcheck // nothing of it is needed any more
	r.watch = observe.Watch(c, r.observer, &r.cfg, correct(c), func(d local.Death) {
		show.Note(d.String() + ", not by the demo: it counts as faulty from here on")
	})

	watching, blind := context.WithCancel(ctx)
	var eye sync.WaitGroup
	eye.Go(func() { r.watch.Run(watching) })
	eye.Go(func() { r.paused = observe.LongestPause(watching) })
	r.broke = r.course(ctx)
	blind()
	eye.Wait()
	if ctx.Err() != nil {
		show.Note("interrupted; the replicas are killed")
		return nil, fmt.Errorf("the demonstration was interrupted: %w", context.Cause(ctx))
	}
	return r.finish()
}

// correct lists the replicas that are honest by configuration.
func correct(c *local.Cluster) (ids []int) {
	for id := range c.File.Replicas {
		if !c.Malicious(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// alive lists the correct replicas that nobody killed behind our back.
func (r *run) alive() []int { return r.watch.Alive(r.watch.Correct()) }

// needed lists the replicas that the course goes on with: the liar too, whom it takes for a quorum.
func (r *run) needed() []int { return r.watch.Alive(r.watch.All()) }

// course is what happens, in order.
func (r *run) course(ctx context.Context) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	sessions, err := r.dial(ctx)
	defer func() {
		for _, s := range sessions {
			_ = s.Close() // their requests are counted already
		}
	}()
	if err != nil {
		return err
	}
	r.load = begin(ctx, sessions, r.Workers, r.Seed)
	err = r.underLoad(ctx)
	if err == nil {
		err = r.crash(ctx)
	}
	patience := 10 * time.Second
	if err != nil {
		patience = time.Second // nothing is being acknowledged
	}
	r.lasted = r.load.end(patience)
	if err != nil {
		return err
	}
	if err := r.readBack(ctx, sessions[0]); err != nil {
		return err
	}
	return r.converge(ctx)
}

func (r *run) start(ctx context.Context) error {
	r.show.Begin("start", fmt.Sprintf("%d replica processes talking libp2p, replica %d malicious", replicas, liar))
	if err := r.cluster.Start(); err != nil {
		return err
	}
	if err := r.ready(ctx); err != nil {
		return err
	}
	pids := ""
	for _, id := range r.cluster.Running() {
		pids += " " + strconv.Itoa(r.cluster.Pid(id))
	}
	r.show.End("ready, processes%s", pids)
	return nil
}

// ready waits until the replicas are well, but for those that count as faulty because somebody killed them.
func (r *run) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.StartWithin)
	defer cancel()
	got, err := r.observer.Until(ctx, r.watch.All(), 50*time.Millisecond, func(got map[int]node.Report) bool {
		return local.Unwell(got, r.needed()) == ""
	})
	if err != nil {
		return fmt.Errorf("the replicas were not ready within %v: %s", r.StartWithin, local.Unwell(got, r.needed()))
	}
	return nil
}

func (r *run) dial(ctx context.Context) ([]*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, r.StartWithin)
	defer cancel()
	key, err := crypto.ReadKey(r.cluster.ClientKey(0))
	if err != nil {
		return nil, err
	}
	var sessions []*client.Client
	for range r.Sessions {
		c, err := client.DialCluster(ctx, r.cluster.File, key)
		if err != nil {
			return sessions, err
		}
		sessions = append(sessions, c)
	}
	return sessions, nil
}

func (r *run) underLoad(ctx context.Context) error {
	r.show.Begin("load", fmt.Sprintf("%d requests at once; from batch %d on primary %d tells every replica something else",
		r.Sessions*r.Workers, r.LieFrom, liar))
	err := r.await(ctx, r.BeforeCrash, func() bool {
		_, proven := r.watch.Conviction(liar)
		return proven && r.watch.View() > 0
	})
	if err != nil {
		return err
	}
	r.show.End("view %d is active, and there is proof against replica %d", r.watch.View(), liar)
	return nil
}
