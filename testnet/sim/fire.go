package sim

import (
	"fmt"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/sim/disk"
)

// plot is a plan that runs.
type plot struct {
	w     *World
	p     *Plan
	fired []int // by fault, how often
	// The highest view when the faults end.
	healed wire.View
}

// arm has all faults of a plan happen at their times.
func (x *plot) arm() {
	x.fired = make([]int, len(x.p.Faults))
	for i := range x.p.Faults {
		f := &x.p.Faults[i]
		x.w.At(f.At, func() { x.begin(i, f) })
		if f.Until > 0 {
			x.w.At(f.Until, func() { x.end(f) })
		}
	}
}

func (x *plot) begin(i int, f *Fault) {
	w := x.w
	w.own.Emit(&trace.Fault{Step: trace.Fired, Does: f.String()})
	fire := func() { x.fired[i]++ }
	switch f.Do {
	case RolledBack:
		if w.Up(f.Replica) {
			fire()
		}
		w.Keep(f.Replica)
	case WipedAgain:
		fire()
		w.Crash(f.Replica, f.loss())
		w.Wipe(f.Replica)
		x.restart(f.Replica)
	case CrashNow, TornTail, BitRot, Wiped, StateLost, Unmounted:
		if w.Up(f.Replica) {
			fire()
		}
		w.Crash(f.Replica, f.loss())
	case CrashCalls:
		w.CrashAfter(f.Replica, f.Calls, f.loss(), fire)
	case CrashType:
		w.CrashAt(f.Replica, f.Type, f.Moment, f.loss(), fire)
	case CrashAll:
		for id := range x.p.Replicas {
			w.Crash(wire.ReplicaID(id), f.loss())
		}
		fire()
	case Pausing:
		w.Pause(f.Replica)
		fire()
	case ClockSkew:
		w.ClockJump(f.Replica, f.By)
		fire()
	case Network:
		if err := w.Command(*f.Links); err != nil {
			w.fail("plan", 0, "%v", err)
		}
		fire() // what it touched, the links count
	case LyingSync:
		w.Disk(f.Replica).Lie(true)
		fire()
	case IOError:
		w.Disk(f.Replica).FailAfter(f.Calls, disk.ErrIO)
		fire()
	case DiskFull:
		w.Disk(f.Replica).Fill(true)
		fire()
	case ClientKill:
		w.KillClient(f.Client, f.Calls, f.Moment, fire)
	default:
		w.fail("plan", f.Replica, "there is no fault %q", f.Do)
	}
}

func (f *Fault) String() string {
	if f.Do == Network || f.Do == CrashAll {
		return string(f.Do)
	}
	if f.Do == ClientKill {
		return fmt.Sprintf("%s c%d", f.Do, f.Client)
	}
	return fmt.Sprintf("%s of r%d", f.Do, f.Replica)
}

func (f *Fault) loss() disk.Loss {
	if f.Loss == "" {
		return disk.Kill
	}
	return f.Loss
}

// end undoes a fault. What a damaged disk makes of its replica is the replica's to say.
func (x *plot) end(f *Fault) {
	w := x.w
	w.own.Emit(&trace.Fault{Step: trace.Healed, Does: f.String()})
	switch f.Do {
	case CrashNow:
		x.restart(f.Replica)
	case CrashCalls, CrashType:
		w.nodes[f.Replica].strike = nil
		x.restart(f.Replica)
	case CrashAll:
		for id := range x.p.Replicas {
			x.restart(wire.ReplicaID(id))
		}
	case ClientKill:
		w.StartClient(f.Client)
	case Pausing:
		w.Resume(f.Replica)
	case Network:
		if f.Undo == nil {
			return
		}
		if err := w.Command(*f.Undo); err != nil {
			w.fail("plan", 0, "%v", err)
		}
	case BitRot:
		x.rot(f.Replica)
	case StateLost:
		w.Crash(f.Replica, disk.Kill)
		w.LoseState(f.Replica)
		x.restart(f.Replica)
	case Unmounted:
		w.Crash(f.Replica, disk.Kill)
		w.Unmount(f.Replica)
		x.restart(f.Replica)
		if f.Calls > 0 {
			w.At(w.now+time.Duration(f.Calls)*time.Millisecond, func() { w.Mount(f.Replica); x.restart(f.Replica) })
		}
	case RolledBack:
		w.Crash(f.Replica, disk.Kill)
		w.PutBack(f.Replica)
		x.restart(f.Replica)
	case Wiped, WipedAgain:
		w.Crash(f.Replica, disk.Kill)
		w.Wipe(f.Replica)
		x.restart(f.Replica)
	case TornTail:
		w.Disk(f.Replica).CutTail(1 + w.damage.IntN(8))
		x.restart(f.Replica)
	case LyingSync:
		w.Crash(f.Replica, disk.Holes)
		w.Disk(f.Replica).Lie(false)
		x.restart(f.Replica)
	case IOError:
		w.Crash(f.Replica, disk.Kill)
		w.Disk(f.Replica).FailAfter(0, nil)
		x.restart(f.Replica)
	case DiskFull:
		w.Crash(f.Replica, disk.Kill)
		w.Disk(f.Replica).Fill(false)
		x.restart(f.Replica)
	default: // has no end
	}
}

// restart brings a replica up. That a faulty one refuses is what it should do with a damaged disk.
func (x *plot) restart(id wire.ReplicaID) { _ = x.w.Restart(id) }

// Outcome is what came of a plan.
type Outcome struct {
	Plan      *Plan
	Hash      string
	Counts    Counts
	Simulated time.Duration
	Fired     int        // faults that happened
	Violation *Violation // nil if everything held
	Trace     []string   // the last lines, of a violation
	World     *World

	Linearizable check.Result // I4
}

// judgePatience is how long, by the clock on the wall, a history may take to judge.
const judgePatience = time.Second

// Run runs a plan to its end. The error says that it cannot be run.
func Run(p *Plan, change ...func(*Options)) (*Outcome, error) {
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
	}
	x.patience()
	if err := w.RunUntil(p.Duration); err == nil && p.Heal > 0 && !w.over() {
		x.converge()
	}
	var judged check.Result
	if w.Violation() == nil {
		judged = w.Linearizable(judgePatience)
	}
	out := &Outcome{
		Plan: p, Hash: w.Hash(), Counts: w.Counts(), Simulated: w.Now(), Violation: w.Violation(), World: w,
		Linearizable: judged,
	}
	for _, times := range x.fired {
		out.Fired += min(times, 1)
	}
	if out.Violation != nil {
		out.Trace = w.Last(40)
	}
	return out, nil
}

func (o *Outcome) String() string {
	c := &o.Counts
	return fmt.Sprintf("%s: %v simulated, %d acknowledged, %d messages, %d views entered, %d of %d faults fired",
		o.Hash, o.Simulated, c.Acknowledged, c.Messages, c.Entered, o.Fired, len(o.Plan.Faults))
}
