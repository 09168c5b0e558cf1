package tagmatest

import (
	"bytes"
	"fmt"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// rollout replaces the programs of a simulated cluster by newer ones, and then upgrades the state.
type rollout struct {
	newer    func() statemachine.Machine
	before   func() statemachine.Machine // nil: there is one program
	programs []*program                  // by replica, and then of twins
	first    int                         // version with which the cluster begins
	last     int                         // and to which it is upgraded
	sent     int                         // version of the last upgrade that was answered; 0: none was
	version  int                         // version of the state up to the event that is being judged
	failed   string                      // why an upgrade did not happen
}

func newRollout(w *Workload, newMachine func() statemachine.Machine) *rollout {
	r := &rollout{newer: newMachine, before: w.Before}
	r.first = statemachine.FirstVersion(newMachine())
	r.last = r.first
	if w.Before != nil {
		r.first = statemachine.FirstVersion(w.Before())
	}
	r.version, r.sent = max(r.first, 1), r.first
	return r
}

// program is the machine of a replica. Unwrap says which one it is when a process starts.
type program struct{ statemachine.Machine }

// Unwrap lets the service find which optional interfaces the machine implements.
func (p *program) Unwrap() statemachine.Machine { return p.Machine }

// newMachine makes the machine of the next replica.
func (r *rollout) newMachine() statemachine.Machine {
	if r.before == nil {
		return r.newer()
	}
	p := &program{r.before()}
	r.programs = append(r.programs, p)
	return p
}

// unfinished reports whether upgrades are still to be answered.
func (r *rollout) unfinished() bool { return r.before != nil && r.sent < r.last }

// stepTime is the time from the replacement of one program to the next one's.
const stepTime = 300 * time.Millisecond

// begin replaces the programs, and then a client upgrades the state. A replica that is down starts with the newer
// program.
func (r *rollout) begin(world *sim.World) {
	if r.before == nil {
		return
	}
	for i, p := range r.programs {
		world.At(world.Now()+time.Duration(i)*stepTime, func() {
			id := wire.ReplicaID(i)
			runs := i < world.Config().N() && world.Up(id)
			if runs {
				world.Crash(id, disk.Kill)
			}
			p.Machine = r.newer()
			if runs {
				_ = world.Restart(id) // for a correct replica an error here is reported as a violation elsewhere
			}
		})
	}
	world.At(world.Now()+time.Duration(len(r.programs))*stepTime, func() { r.upgrade(world) })
}

// upgrade makes a client send one upgrade after the other.
func (r *rollout) upgrade(world *sim.World) {
	if r.sent < r.last {
		world.SubmitThen(0, [][]byte{statemachine.Upgrade(r.sent + 1)}, false, func() {
			r.sent++
			r.upgrade(world)
		})
	}
}

// upgrades reports whether an operation that was executed is the upgrade to the next version, and notes it.
func (r *rollout) upgrades(o *sim.Operation) bool {
	if r.before == nil || !bytes.Equal(o.Ops[0], statemachine.Upgrade(r.version+1)) {
		return false
	}
	if o.Known && len(o.Results) > 0 {
		if err := statemachine.Failure(o.Results[0]); err != nil {
			r.failed = fmt.Sprintf("the upgrade to version %d: %v", r.version+1, err)
			return true
		}
	}
	r.version++
	return true
}
