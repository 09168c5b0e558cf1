package sim

import (
	"fmt"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/check"
)

// Outcome is the result of running a plan.
type Outcome struct {
	Plan         *Plan
	Hash         string
	Counts       Counts
	Simulated    time.Duration
	Fired        int        // faults that happened
	Violation    *Violation // nil if everything held
	Trace        []string   // the last lines of the trace, if there was a violation
	World        *World
	Linearizable check.Result // I4
}

// judgePatience is how long the judging of a history may take, in real time.
const judgePatience = time.Second

// Run runs a plan to its end. The error says that it cannot be run.
func Run(p *Plan, change ...func(*Options)) (*Outcome, error) {
	r, err := Begin(p, change...)
	if err != nil {
		return nil, err
	}
	if r.World.RunUntil(p.Duration) == nil {
		r.Converge()
	}
	return r.Outcome(), nil
}

// Running is a plan that was begun.
type Running struct {
	World *World
	plot  *plot
}

// Begin makes the world of a plan, and schedules what happens to it. The error says that the plan cannot be run.
func Begin(p *Plan, change ...func(*Options)) (*Running, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	o, err := p.Options()
	if err != nil {
		return nil, err
	}
	for _, f := range change {
		f(&o)
	}
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	if o.Begin != nil {
		o.Begin(w)
	}
	for _, id := range p.Damaged {
		w.Condemn(id)
	}
	if err := p.host(w); err != nil {
		return nil, err
	}
	x := &plot{w: w, p: p}
	x.arm()
	if p.Heal > 0 {
		w.At(p.Heal, func() { x.healed = x.highest() })
		w.At(p.Duration, x.patience)
	}
	return &Running{w, x}, nil
}

// Converge judges the end of a plan whose faults have ended, once its time is over.
func (r *Running) Converge() {
	if r.plot.p.Heal > 0 && !r.World.over() {
		r.plot.converge()
	}
}

// Outcome is the result so far.
func (r *Running) Outcome() *Outcome {
	w, x := r.World, r.plot
	out := &Outcome{Plan: x.p, Hash: w.Hash(), Counts: w.Counts(), Simulated: w.Now(), World: w}
	if w.Violation() == nil {
		out.Linearizable = w.Linearizable(judgePatience)
	}
	for _, fired := range x.fired {
		if fired {
			out.Fired++
		}
	}
	if out.Violation = w.Violation(); out.Violation != nil {
		out.Trace = w.Last(40)
	}
	return out
}

func (o *Outcome) String() string {
	c := &o.Counts
	return fmt.Sprintf("%s: %v simulated, %d acknowledged, %d messages, %d views entered, %d of %d faults fired",
		o.Hash, o.Simulated, c.Acknowledged, c.Messages, c.Entered, o.Fired, len(o.Plan.Faults))
}

// plot is a plan while it runs.
type plot struct {
	w      *World
	p      *Plan
	fired  []bool    // whether each fault happened, in the plan's order
	healed wire.View // the highest view when the faults end
}

// arm schedules all faults of a plan.
func (x *plot) arm() {
	x.fired = make([]bool, len(x.p.Faults))
	for i := range x.p.Faults {
		f := &x.p.Faults[i]
		kind := faultKinds[f.Do]
		x.w.At(f.At, func() {
			x.w.own.Emit(&trace.Fault{Step: trace.Fired, Does: f.String()})
			kind.begin(x.w, f, func() { x.fired[i] = true })
		})
		if f.Until > 0 && kind.end != nil {
			x.w.At(f.Until, func() {
				x.w.own.Emit(&trace.Fault{Step: trace.Healed, Does: f.String()})
				kind.end(x.w, f)
			})
		}
	}
}
