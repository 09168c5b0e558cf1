package swarm

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tagma/testnet/sim"
)

// Options say which runs are made, and how.
type Options struct {
	First    uint64        // seed
	Seeds    uint64        // how many; 0: until Time is over
	Time     time.Duration // no run begins after this time; 0: no such bound
	Replicas int           // number of replicas of every cluster; 0: drawn
	From     *Setting      // from which plans are drawn; nil: Wide
	Steps    int           // each run ends after so many events; 0: no such bound
	Workers  int           // runs at once; 0: one
	Twice    bool          // every seed is run twice, and both runs must be equal

	// Change, unless nil, changes the options of every world.
	Change func(*sim.Options)
}

// Result is the outcome of one plan, without its world. Its violation may be that two runs of the plan differed (Repeats).
type Result struct {
	*sim.Outcome
	Took time.Duration // real time
	Lies uint64        // how many lies malicious clients sent, and frames of replicas that are no message
}

// Run runs seeds, several at once. It calls tell with each result, one at a time and in the order of the seeds, and with the
// summary so far. It returns the final summary, and the error of a plan that cannot be run, of tell, or of the context.
func Run(ctx context.Context, o Options, tell func(*Result, *Summary) error) (*Summary, error) {
	s, began := newSummary(), time.Now()
	err := inOrder(ctx, &o, o.one, func(r *Result) error {
		s.add(r)
		s.RealSeconds = time.Since(began).Seconds()
		return tell(r, s)
	})
	return s, err
}

// ahead is how many results of each worker may wait for an earlier one.
const ahead = 64

// inOrder has workers take seeds one after the other, and passes the results to tell in the order of the seeds.
func inOrder[R any](ctx context.Context, o *Options, one func(seed uint64) (R, error), tell func(R) error) error {
	workers := max(o.Workers, 1)
	began := time.Now()
	more := func(seed uint64) bool {
		return ctx.Err() == nil && (o.Seeds == 0 || seed-o.First < o.Seeds) && (o.Time == 0 || time.Since(began) < o.Time)
	}
	type finished struct {
		r   R
		err error
	}
	// Finished results wait for earlier ones, up to a bound, so that one long run does not keep the other workers idle.
	pending := make(chan chan finished, ahead*workers)
	places := make(chan struct{}, workers)
	told, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		defer close(pending)
		for seed := o.First; ; seed++ {
			if places <- struct{}{}; !more(seed) {
				return
			}
			done := make(chan finished, 1)
			select {
			case pending <- done:
			case <-told.Done():
				return
			}
			go func() {
				r, err := one(seed)
				<-places
				done <- finished{r, err}
			}()
		}
	}()
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
	p := cmp.Or(o.From, Wide).Draw(seed, o.Replicas)
	r, err := o.Once(p)
	if err != nil {
		return nil, fmt.Errorf("seed %d: %w\n%s", seed, err, p)
	}
	return r, nil
}

// Repeats is the simulator's own invariant: two runs of one plan are equal.
const Repeats = "repeats"

// Once runs a plan; if Twice is set it runs the plan again, and the two runs must be equal.
func (o *Options) Once(p *sim.Plan) (*Result, error) {
	began := time.Now()
	world := func(w *sim.Options) {
		w.Steps = o.Steps
		w.TraceLines = -1 // no trace: a failing plan is run again for its trace
		if o.Change != nil {
			o.Change(w)
		}
	}
	out, err := sim.Run(p, world)
	if err != nil {
		return nil, err
	}
	r := &Result{Outcome: out, Took: time.Since(began), Lies: out.World.Lies()}
	out.World = nil
	if !o.Twice || out.Violation != nil {
		return r, nil
	}
	again, err := sim.Run(p, world, func(w *sim.Options) { w.Trace = nil })
	if err != nil {
		return nil, fmt.Errorf("again: %w", err)
	}
	if again.Hash != out.Hash {
		out.Violation = &sim.Violation{
			Invariant: Repeats, At: out.Simulated, Seed: p.Seed, What: "one plan was two runs: " + out.Hash + " and " + again.Hash,
		}
	}
	return r, nil
}
