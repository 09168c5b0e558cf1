package play

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/links"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// course is one run of a scenario: a cluster, its workload, and the acts that are done to the cluster.
type course struct {
	e     Engine
	s     *scenario.Scenario
	c     Cluster
	show  Show
	also  func(*report.Document)
	acts  []*act
	links *links.Policy // a copy of the replicas' policy; it says which replicas are cut off

	noticed int // how many acknowledgements the course has looked at
	// An operation that was submitted after the last event, which was at calmSince, was acknowledged.
	calmed    bool
	calmSince time.Duration // the time of the last event, to which calmed refers
	made      bool          // the workload is done
	madeSince time.Duration // when made last changed
	before    uint64        // the highest view when the last event happened
	drawn     time.Duration // when the state of the run was last shown
	lasted    time.Duration // how long the workload ran; throughput counts over it
	converged bool
	caughtUp  time.Duration // how long after the last event all replicas had executed the same batches; negative: never
	broke     error         // the error that ended the course early
	over      bool          // ErrOver ended the course

	baseline       rates   // the throughput without faults; zero: not measured
	slower, faster float64 // operations per second of the two runs without faults, from RatioAfter on
	baseless       string  // why the second of these runs could not be measured; "": it was measured
}

// rates are operations per second: over a whole run, and over its part after Expect.RatioAfter.
type rates struct{ whole, later float64 }

func (r *course) rates(acks []Ack) rates {
	from := r.s.Expect.RatioAfter
	return rates{Rate(len(acks), r.lasted), Rate(len(After(acks, from)), r.lasted-from)}
}

// run runs the cluster to its end: workload and acts, reading back, the wait for one stable checkpoint, the stop. It
// returns an error only if ctx ended.
func (r *course) run(ctx context.Context) error {
	r.broke = r.through(ctx)
	if ctx.Err() != nil {
		return fmt.Errorf("the run was interrupted: %w", context.Cause(ctx))
	}
	if r.over = errors.Is(r.broke, ErrOver); r.over {
		r.broke = nil // the report names the broken invariant
	}
	if r.broke != nil {
		Say(r.show, r.c.Now(), Bad, "%v", r.broke)
	}
	r.show.Phase("stop", "the replicas stop, and what they leave is read")
	r.c.Stop()
	return nil
}

func (r *course) through(ctx context.Context) error {
	r.show.Phase("load", r.about())
	r.c.Begin()
	if _, err := r.perform(ctx, 0); err != nil { // perform the acts that are due before the first operation
		return err
	}
	r.c.Load(ctx)
	err := r.await(ctx)
	patience := 10 * time.Second
	if err != nil {
		patience = time.Second // nothing is acknowledged any more
	}
	r.c.EndWork(patience)
	if r.lasted = r.c.Now(); r.e.Steady() && r.s.Workload.Duration > 0 {
		r.lasted = min(r.lasted, r.s.Workload.Duration)
	}
	if err != nil {
		return err
	}
	if err := r.c.ReadBack(ctx, r.show); err != nil {
		return err
	}
	if r.s.Expect.Halts() && !r.e.Steady() {
		return nil // replicas that must halt agree on no checkpoint, so waiting for one would only take real time
	}
	return r.calm(ctx)
}

func (r *course) about() string {
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

// await performs the acts of the timetable. It returns when the workload is done, every act has happened, and an
// operation that was submitted after the last act was acknowledged.
func (r *course) await(ctx context.Context) error {
	stall := r.e.Stall(r.s)
	for {
		now := r.c.Now()
		acted, err := r.perform(ctx, now)
		if err != nil {
			return err
		}
		w := r.c.Work()
		r.notice(now, w.Acks)
		r.draw(now, &w)
		settled, done, last := r.settled(&w), r.done(), r.last()
		if done {
			r.c.Extend(!settled, last)
		} else {
			r.c.Extend(true, -1)
		}
		silent := now
		if n := len(w.Acks); n > 0 {
			silent = now - w.Acks[n-1].At
		}
		if w.Made != r.made {
			r.made, r.madeSince = w.Made, now
		}
		if r.made && !done { // clients send operations until every act has happened, which may be never
			silent = now - r.madeSince
		}
		switch next := r.next(now); {
		case settled && done && r.c.Work().Made:
			return nil
		case acted || next > 0 || now < r.s.Workload.Duration:
		case min(silent, now-last, now-r.s.Workload.Duration) <= stall:
		case done && (w.Made || r.s.Expect.Halts()):
			return nil // nothing was acknowledged after the last act; the expectation commits_within judges that
		default:
			return r.stalled(stall)
		}
		if err := r.c.Pass(ctx, r.next(now)); err != nil {
			return err
		}
	}
}

// stalled returns the error of a run in which nothing happens any more. It names an act that did not happen, if there is
// one.
func (r *course) stalled(patience time.Duration) error {
	for _, a := range r.acts {
		switch {
		case a.done:
		case r.made:
			return Late("for %v after the end of the workload this never came: %s (line %d)", patience, a.what, a.line)
		default:
			return Late("no operation was acknowledged for %v, so this never came: %s (line %d)", patience, a.what, a.line)
		}
	}
	return Late("no operation was acknowledged for %v", patience)
}

// settled reports whether an operation that was submitted after the last event was acknowledged. Without a workload, or
// when the clients are stopped, it is enough that half a view timeout has passed since and no operation is under way.
func (r *course) settled(w *Work) bool {
	last := r.last()
	switch {
	case !r.done():
		return false
	case r.calmed && r.calmSince == last:
		return true
	case last == 0 && !r.s.HasFaults():
		r.calmed = true
	default:
		_, r.calmed = recovered(w.Acks, last)
	}
	if !r.calmed && (r.s.Workload.Kind == scenario.KindNone || w.Stopped) {
		r.calmed = w.Flying == 0 && r.c.Now() >= last+r.s.ViewTimeout()/2
	}
	r.calmSince = last
	return r.calmed
}

// aftermath is how long calm waits before it reads reports, so that replicas execute and report all that is ordered.
const aftermath = 250 * time.Millisecond

// calm waits until the correct replicas that run have executed everything and report one stable checkpoint, and every
// request of the scenario has its answer.
func (r *course) calm(ctx context.Context) error {
	patience := r.e.Stall(r.s)
	if wanted := r.s.Expect.DigestsEqual; !r.e.Steady() && (wanted == nil || !*wanted) {
		patience = 2*time.Second + 4*r.s.ViewTimeout()
	}
	r.show.Phase("calm", "the correct replicas come to one stable checkpoint with one state digest")
	began := r.c.Now()
	for now := began; now < began+patience; now = r.c.Now() {
		if now >= began+aftermath {
			all := r.standing()
			if r.caughtUp < 0 && alike(all, func(x *Replica) any { return x.Executed }) {
				r.caughtUp = now - r.last()
			}
			agree := Agree(all, uint64(r.s.Settings.WithDefaults().CheckpointInterval))
			if r.converged = agree; agree && r.answered() {
				Say(r.show, now, Note, "checkpoint %d, state %.16s…", all[0].Stable, all[0].StateDigest)
				return nil
			}
		}
		w := r.c.Work()
		r.draw(now, &w)
		if err := r.c.Pass(ctx, began+patience); err != nil {
			return err
		}
	}
	return nil
}

// Agree reports whether all replicas run, have executed equally far, and hold the last checkpoint stable with one digest.
func Agree(all []Replica, interval uint64) bool {
	return len(all) > 0 && all[0].Stable == all[0].Executed/interval*interval &&
		!slices.ContainsFunc(all, func(x Replica) bool {
			return !x.Up || x.Executed != all[0].Executed || x.Stable != all[0].Stable || x.StateDigest != all[0].StateDigest
		})
}

// alike reports whether of returns the same value for all replicas, except those that need a transfer of the state.
func alike(all []Replica, of func(*Replica) any) bool {
	seen := make(map[any]bool)
	for i := range all {
		if !all[i].Behind {
			seen[of(&all[i])] = true
		}
	}
	return len(seen) == 1
}

// standing returns the correct replicas that run and receive from a quorum.
func (r *course) standing() []Replica {
	cfg := wire.Config{Members: make([]wire.PublicKey, r.s.Replicas)}
	apart := r.links.Apart(cfg.Quorum())
	return slices.DeleteFunc(r.c.Replicas(), func(x Replica) bool {
		return !x.Counts || slices.Contains(apart, wire.ReplicaID(x.ID))
	})
}

// view is the highest view of the replicas that the run waits for.
func (r *course) view() (view uint64) {
	for _, x := range r.c.Replicas() {
		if x.Counts {
			view = max(view, x.View)
		}
	}
	return view
}

// draw shows the state of the run, at most ten times a second.
func (r *course) draw(now time.Duration, w *Work) {
	const every, window = 100 * time.Millisecond, time.Second
	if _, silent := r.show.(Silent); silent || now < r.drawn+every {
		return
	}
	r.drawn = now
	lately := min(now, window)
	r.show.State(State{
		At: now, Acknowledged: w.Acknowledged, Goal: r.s.Workload.Operations, End: r.s.Workload.Duration,
		OpsPerSecond: Rate(len(After(w.Acks, now-lately)), lately), Replicas: r.c.Replicas(),
	})
}
