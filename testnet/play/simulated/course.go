package simulated

import (
	"fmt"
	"slices"
	"time"

	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/play"
	"tagma/testnet/report"
)

// How long a run waits in vain, in virtual time: for an acknowledgement while nothing else is to come, and for replicas
// to come to rest.
const (
	stallViews  = 60 // view timeouts, which double
	settleViews = 40
	longest     = time.Hour
	aftermath   = 100 * time.Millisecond // for what is ordered to be executed
)

// course lets the world run until everything has happened and every client is answered, or nothing goes on any more.
// The error says that the run was given up from outside.
func (r *run) course() error {
	steps, progress, acknowledged := 0, time.Duration(0), 0
	patience := stallViews * r.s.ViewTimeout()
	holds := func() bool {
		if steps++; steps%4096 == 0 && r.ctx.Err() != nil {
			return false
		}
		r.look()
		r.notice()
		r.count()
		r.probe()
		if n := r.w.Acknowledged(); n != acknowledged || r.waiting() {
			acknowledged, progress = n, r.w.Now()
		}
		return !r.answered() && r.w.Now()-progress < patience && r.w.Now() < longest
	}
	_ = r.w.RunWhile(holds) // what is violated, the world tells in the end
	r.ended = r.w.Now()
	if r.s.Workload.Duration > 0 {
		r.ended = min(r.ended, r.s.Workload.Duration)
	}
	r.settle()
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("the run was interrupted: %w", err)
	}
	return nil
}

// count arms what comes after so many operations.
func (r *run) count() {
	for _, a := range r.acts {
		if a.after > 0 && !a.armed && r.w.Acknowledged() >= a.after {
			r.arm(a, r.w.Now()+a.due)
		}
	}
}

// waiting reports whether something will happen by the clock alone.
func (r *run) waiting() bool {
	return r.w.Now() < r.s.Workload.Duration || slices.ContainsFunc(r.acts, func(a *act) bool { return !a.done && a.armed && a.due > r.w.Now() })
}

// answered reports whether everything has happened and all operations are answered.
func (r *run) answered() bool {
	if r.w.Acknowledged() < len(r.w.History()) || !r.made() {
		return false
	}
	return r.happenedAll()
}

// made reports whether the workload asks for nothing more.
func (r *run) made() bool {
	w := &r.s.Workload
	return r.w.Now() >= w.Duration && len(r.w.History())-r.submitted >= w.Operations
}

// last is when the last thing happened that operations may have to recover from.
func (r *run) last() (at time.Duration) {
	for _, a := range r.acts {
		if a.done && !a.calm {
			at = max(at, a.at)
		}
	}
	return at
}

// recovery is how long after a moment an operation was acknowledged that was submitted since; nil if none was.
func (r *run) recovery(since time.Duration) *time.Duration {
	var least *time.Duration
	for _, op := range r.w.History() {
		if took := op.Returned - since; op.Known && op.Invoked >= since && (least == nil || took < *least) {
			least = &took
		}
	}
	return least
}

// probe asks for one operation more as soon as everything has happened, if the workload was over by then: what waited
// before has clients who have lost patience.
func (r *run) probe() {
	if r.probed || !r.s.HasFaults() || !r.made() || !r.happenedAll() {
		return
	}
	r.probed = true
	if n := len(r.w.History()); n == 0 || r.w.History()[n-1].Invoked < r.last() {
		r.w.Submit(r.honest(), [][]byte{r.operation("probe", 1)}, false)
		r.submitted++
	}
}

func (r *run) happenedAll() bool {
	return !slices.ContainsFunc(r.acts, func(a *act) bool { return !a.done })
}

// honest is a client that is not malicious.
func (r *run) honest() int {
	for i := range r.s.Workload.Clients {
		if !slices.ContainsFunc(r.s.Malicious, maliciousClient(i)) {
			return i
		}
	}
	return 0
}

// settle waits until all correct replicas have executed the same, but for those that are cut off.
func (r *run) settle() {
	if r.w.Violation() == nil {
		if r.w.RunUntilTrue(settleViews*r.s.ViewTimeout(), "rest", r.equal) == nil {
			r.caughtUp = r.w.Now() - r.last()
		}
		_ = r.w.RunUntil(r.w.Now() + aftermath)
	}
}

// together are the correct replicas that can be expected to be where the others are.
func (r *run) together() []wire.ReplicaID {
	apart := r.w.Links().Apart(r.w.Config().Quorum())
	return slices.DeleteFunc(r.correct(), func(id wire.ReplicaID) bool { return slices.Contains(apart, id) })
}

// equal reports whether all of them have executed the same and stand at the same checkpoint.
func (r *run) equal() bool {
	var first pbft.Inspection
	for i, id := range r.together() {
		in, _ := r.w.Inspect(id)
		if i == 0 {
			first = in
		}
		if in.Executed != first.Executed || in.Stable != first.Stable || in.StateDigest != first.StateDigest || in.Diverged {
			return false
		}
	}
	return len(r.together()) > 0
}

// highest is the highest view of correct replicas.
func (r *run) highest() (v wire.View) {
	for _, id := range r.correct() {
		if in, up := r.w.Inspect(id); up {
			v = max(v, in.View)
		}
	}
	return v
}

// look shows how everything is, ten times a virtual second.
func (r *run) look() {
	const every = 100 * time.Millisecond
	if _, silent := r.show.(play.Silent); silent || r.w.Now() < r.shown+every {
		return
	}
	r.shown = r.w.Now()
	s := play.State{At: r.w.Now(), Acknowledged: r.w.Acknowledged(), Goal: r.s.Workload.Operations, End: r.s.Workload.Duration}
	s.OpsPerSecond = report.Round(float64(s.Acknowledged) / max(s.At.Seconds(), every.Seconds()))
	for id := range wire.ReplicaID(r.s.Replicas) {
		in, up := r.w.Inspect(id)
		s.Replicas = append(s.Replicas, play.ReplicaState{
			ID: int(id), Role: r.role(id), Up: up, Primary: up && in.Primary == id, View: uint64(in.View), Active: in.Active,
			Executed: uint64(in.Executed), Stable: uint64(in.Stable), Health: "ok",
		})
	}
	r.show.State(s)
}
