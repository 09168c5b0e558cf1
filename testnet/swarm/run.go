package swarm

import (
	"context"
	"fmt"
	"time"

	"tagma/testnet/sim"
)

// Options say what is run.
type Options struct {
	First    uint64        // seed
	Seeds    uint64        // how many; 0: until Time is over
	Time     time.Duration // no more runs begin after it; 0: not for that
	Replicas int           // of every cluster; 0: drawn
	Steps    int           // each run ends after so many events; 0: not for that
	Workers  int           // runs at once; 0: one
	Twice    bool          // every seed is run twice and must be one run

	// Change is made to every world, for tests.
	Change func(*sim.Options)
}

// Result is what came of one seed.
type Result struct {
	Seed uint64
	Plan *sim.Plan
	// Broken is the first thing that did not hold, nil if everything did.
	Broken *sim.Violation
	Hash   string
	Took   time.Duration // by the clock on the wall
	Counts sim.Counts

	Simulated time.Duration
	Fired     int
	Lies      uint64 // of malicious clients, and frames that are no message
	Judged    bool   // I4: there was a history, and it was decided
}

// Run runs seeds, several at once, and has each one's result told in the order of the seeds, one at a time. It returns
// what they came to. The error is that of a plan which cannot be run, or of the context.
func Run(ctx context.Context, o Options, tell func(*Result) error) (*Summary, error) {
	s, began := newSummary(), time.Now()
	err := o.inOrder(ctx, func(r *Result) error {
		s.add(r)
		return tell(r)
	})
	s.RealSeconds = time.Since(began).Seconds()
	return s, err
}

// finished is what a worker hands back.
type finished struct {
	r   *Result
	err error
}

// ahead is how many results of each worker may wait for an earlier one.
const ahead = 64

// inOrder has workers take seeds one after the other, and hands on their results as if there was one worker.
func (o *Options) inOrder(ctx context.Context, tell func(*Result) error) error {
	workers := max(o.Workers, 1)
	began := time.Now()
	more := func(seed uint64) bool {
		return ctx.Err() == nil && (o.Seeds == 0 || seed-o.First < o.Seeds) && (o.Time == 0 || time.Since(began) < o.Time)
	}
	// What is finished waits for its turn to be told, up to a bound: one that takes long does not keep the others idle.
	pending := make(chan chan finished, ahead*workers)
	places := make(chan struct{}, workers)
	stop := make(chan struct{})
	go func() {
		defer close(pending)
		for seed := o.First; ; seed++ {
			done := make(chan finished, 1)
			select {
			case places <- struct{}{}:
			case <-stop:
				return
			}
			if !more(seed) {
				return
			}
			select {
			case pending <- done:
			case <-stop:
				return
			}
			go func() {
				r, err := o.one(seed)
				<-places
				done <- finished{r, err}
			}()
		}
	}()
	defer close(stop)
	for done := range pending {
		f := <-done
		if f.err != nil {
			return f.err
		}
		if err := tell(f.r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// one runs a seed.
func (o *Options) one(seed uint64) (*Result, error) {
	p := Wide.Draw(seed, o.Replicas)
	out, took, err := o.run(p)
	if err != nil {
		return nil, fmt.Errorf("seed %d: %w\n%s", seed, err, p)
	}
	r := &Result{
		Seed: seed, Plan: p, Broken: out.Violation, Hash: out.Hash, Took: took, Counts: out.Counts, Simulated: out.Simulated,
		Fired: out.Fired, Lies: out.World.Lies(), Judged: out.Linearizable.Checked > 0,
	}
	if o.Twice {
		again, _, err := o.run(p)
		if err != nil {
			return nil, fmt.Errorf("seed %d, again: %w", seed, err)
		}
		if again.Hash != r.Hash && r.Broken == nil {
			r.Broken = &sim.Violation{Invariant: Repeats, At: out.Simulated, Seed: seed, What: "one plan was two runs: " + r.Hash + " and " + again.Hash}
		}
	}
	return r, nil
}

// Repeats is the invariant of the simulator itself: one plan is one run.
const Repeats = "repeats"

func (o *Options) run(p *sim.Plan) (*sim.Outcome, time.Duration, error) {
	began := time.Now()
	out, err := sim.Run(p, func(w *sim.Options) {
		w.Steps = o.Steps
		w.TraceLines = -1 // a failure is run again, to be told
		if o.Change != nil {
			o.Change(w)
		}
	})
	return out, time.Since(began), err
}
