package processes

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tagma/internal/node"
	"tagma/pbft/wire"
	"tagma/testnet/observe"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// course is what happens, in order: work and faults, the end of the work, reading back, and the calm after it.
func (r *run) course(ctx context.Context) error {
	r.show.Phase("load", r.about())
	r.mu.Lock()
	r.began = time.Now()
	r.mu.Unlock()
	if err := r.table.start(ctx, r.began); err != nil {
		return err
	}
	r.load.begin(ctx, r.began)
	err := r.await(ctx)
	patience := 10 * time.Second
	if err != nil {
		patience = time.Second // nothing is being acknowledged
	}
	r.lasted = r.load.end(patience)
	for _, g := range r.rogues {
		_ = g.Wake(false) // what its links say when they end does not matter
	}
	if err != nil {
		return err
	}
	if err := r.resume(); err != nil {
		return err
	}
	if err := r.readBack(ctx); err != nil {
		return err
	}
	if r.s.Expect.Halts() {
		return nil // nobody comes to rest at one checkpoint
	}
	return r.calm(ctx)
}

func (r *run) about() string {
	w := &r.s.Workload
	until := fmt.Sprintf("%d operations", w.Operations)
	if w.Operations == 0 {
		until = w.Duration.String()
	}
	switch {
	case w.Kind == scenario.KindNone:
		return "no workload"
	case w.Rate > 0:
		return fmt.Sprintf("%s by %d clients, %g a second, %s", w.Kind, w.Clients, w.Rate, until)
	default:
		return fmt.Sprintf("%s by %d clients, %s", w.Kind, w.Clients, until)
	}
}

// await performs the timetable and waits until the work is done, everything has happened, and an operation that was
// submitted after the last of it was acknowledged.
func (r *run) await(ctx context.Context) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		acknowledged, silent := r.load.progress()
		now := r.since()
		acted, err := r.table.perform(ctx, now, acknowledged)
		if err != nil {
			return err
		}
		r.recoveries(now)
		r.load.extend(!r.settled())
		if !r.table.done() {
			r.before = r.watch.View()
		}
		worked := r.load.reached(now) && r.table.done()
		switch {
		case worked && r.settled():
			return nil
		case acted || r.table.comes(now) || now < r.s.Workload.Duration:
		case min(silent, now-r.table.last(), now-r.s.Workload.Duration) <= r.Stall:
		case worked || r.table.done() && r.s.Expect.Halts():
			return nil // nobody recovered: commits_within has to say what that means
		default:
			return r.stalled()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// stalled says that nothing goes on any more.
func (r *run) stalled() error {
	if open := r.table.open(); open != "" {
		return fmt.Errorf("no operation was acknowledged for %v, so this never came: %s", r.Stall, open)
	}
	return fmt.Errorf("no operation was acknowledged for %v", r.Stall)
}

// settled reports whether an operation that was submitted after the last event was acknowledged. Without a workload there
// is none to wait for, and where clients were stopped for good nobody submits one.
func (r *run) settled() bool {
	last := r.table.last()
	switch {
	case !r.table.done():
		return false
	case r.calmSince == last && r.isCalm:
		return true
	case r.s.Workload.Kind == scenario.KindNone || r.load.stopped():
		r.isCalm = r.load.idle() && r.since() >= last+r.s.ViewTimeout()/2
	case last == 0 && !r.s.HasFaults():
		r.isCalm = true
	default:
		_, r.isCalm = r.load.recovered(last)
	}
	r.calmSince = last
	return r.isCalm
}

// recoveries notes what has touched something by now, and tells of faults that an operation has survived since.
func (r *run) recoveries(now time.Duration) {
	for _, a := range r.table.fired() {
		a.look(now)
		if a.told || !a.fault || a.late && !a.proven {
			continue
		}
		if at, ok := r.load.recovered(a.began()); ok {
			a.told = true
			r.say(play.Recovered, "%s: clients were served again after %v", a.what, (at - a.began()).Round(time.Millisecond))
		}
	}
}

// resume lets replicas go on that a scenario left paused: what follows is no part of it.
func (r *run) resume() error {
	ids := r.is(halted)
	if len(ids) == 0 {
		return nil
	}
	return r.cluster.Resume(ids...)
}

func (r *run) readBack(ctx context.Context) error {
	if r.s.Workload.Kind == scenario.KindNone || r.load.empty() || r.s.Expect.Halts() {
		return nil
	}
	r.show.Phase("read back", "every acknowledged write, one by one")
	ctx, cancel := context.WithTimeout(ctx, 2*r.Stall)
	defer cancel()
	r.found, r.unread = r.load.readBack(ctx)
	return r.unread
}

// calm waits until the correct replicas that run have executed everything and report one stable checkpoint.
func (r *run) calm(ctx context.Context) error {
	wanted := r.s.Expect.DigestsEqual != nil && *r.s.Expect.DigestsEqual
	patience := 2*time.Second + 4*r.s.ViewTimeout()
	if wanted {
		patience = r.Stall
	}
	r.show.Phase("calm", "the correct replicas come to one stable checkpoint with one state digest")
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	got, err := r.observer.Until(waiting, r.watch.All(), observe.ReportsEvery, func(got map[int]node.Report) bool {
		r.watch.Take(time.Now(), got)
		r.follow(got)
		return observe.Agree(got, r.standing(), uint64(r.cfg.CheckpointInterval))
	})
	r.converged = err == nil
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if r.converged {
		at := got[r.standing()[0]]
		r.say(play.Note, "checkpoint %d, state %.16s…", at.StableCheckpoint, at.StateDigest)
	}
	return nil
}

// standing lists the correct replicas that run and are not cut off for ever.
func (r *run) standing() []int {
	running, apart := slices.Concat(r.is(up), r.is(halted)), r.links.Apart(r.cfg.Quorum())
	trusted := slices.DeleteFunc(r.watch.All(), func(id int) bool {
		return !slices.Contains(r.watch.Correct(), id) && !r.s.RolledBack(wire.ReplicaID(id))
	})
	return slices.DeleteFunc(trusted, func(id int) bool {
		return !slices.Contains(running, id) || slices.Contains(apart, wire.ReplicaID(id))
	})
}
