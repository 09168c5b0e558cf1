package processes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tagma/pbft"
	"tagma/testnet/scenario"
)

// deed returns what does an event to processes, disks, clocks and clients.
func (r *run) deed(e *scenario.Event, a *act) func(context.Context) error {
	ids := make([]int, len(e.Targets))
	for i, id := range e.Targets {
		ids[i] = int(id)
	}
	switch e.Do {
	case scenario.Kill:
		return func(context.Context) error { return r.kill(ids) }
	case scenario.Restart:
		return func(context.Context) error { return r.restart(ids) }
	case scenario.Pause:
		return func(context.Context) error { return r.pause(ids) }
	case scenario.Resume:
		return func(context.Context) error {
			r.set(up, ids...)
			return r.cluster.Resume(ids...)
		}
	case scenario.ClockJump:
		return func(ctx context.Context) error { return r.cluster.JumpClocks(ctx, e.By, ids...) }
	case scenario.DiskFull:
		a.proof = func() bool { return r.ended(ids) }
		return func(ctx context.Context) error {
			r.damage(ids)
			return r.cluster.FillDisks(ctx, ids...)
		}
	case scenario.Wipe:
		return r.whileStopped(ids, func(id int) error { return wipe(r.cluster.Home(id)) })
	case scenario.TornWrite:
		return r.whileStopped(ids, func(id int) error { return tearTurn(r.cluster.Home(id), r.s.Seed) })
	case scenario.BitFlip:
		if r.restarts(e) {
			a.proof = func() bool { return r.ended(ids) } // it was noticed (D8)
		}
		return r.whileStopped(ids, func(id int) error {
			r.damage([]int{id})
			r.watch.Distrust(id) // what its journal says now is no vote of it
			return flipBit(r.cluster.Home(id), r.s.Seed)
		})
	case scenario.Submit:
		return func(context.Context) error { return r.load.submit(e.Submit) }
	case scenario.StopClients:
		return func(context.Context) error { r.load.pause(true); return nil }
	case scenario.StartClients:
		return func(context.Context) error { r.load.pause(false); return nil }
	default:
		return func(context.Context) error {
			return fmt.Errorf("%s is nothing that this engine can do to processes", e.Do)
		}
	}
}

// errNotRunning says that an event's target was not there to be hit.
var errNotRunning = errors.New("it does not run")

// kill ends replicas with SIGKILL. One that does not run is not killed, and that is told.
func (r *run) kill(ids []int) error {
	var errs []error
	for _, id := range ids {
		if r.cluster.Pid(id) == 0 {
			errs = append(errs, fmt.Errorf("replica %d: %w", id, errNotRunning))
		}
	}
	r.set(down, ids...)
	r.cluster.Kill(ids...)
	return errors.Join(errs...)
}

func (r *run) restart(ids []int) error {
	r.set(up, ids...)
	return r.cluster.Start(ids...)
}

func (r *run) pause(ids []int) error {
	for _, id := range ids {
		if r.cluster.Pid(id) == 0 {
			return fmt.Errorf("replica %d: %w", id, errNotRunning)
		}
	}
	r.set(halted, ids...)
	return r.cluster.Pause(ids...)
}

// whileStopped does something to the files of replicas, which are killed before if they run.
func (r *run) whileStopped(ids []int, do func(id int) error) func(context.Context) error {
	return func(context.Context) error {
		r.set(down, ids...)
		r.cluster.Kill(ids...)
		r.watch.ReadJournals() // as long as they are whole
		var errs []error
		for _, id := range ids {
			if err := do(id); err != nil {
				errs = append(errs, fmt.Errorf("replica %d: %w", id, err))
			}
		}
		return errors.Join(errs...)
	}
}

// damage notes that replicas may end by themselves because of their disks.
func (r *run) damage(ids []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.damaged[id] = true
	}
}

// ended reports whether each of some replicas ended by itself at some time.
func (r *run) ended(ids []int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		by := false
		for _, d := range r.ends {
			by = by || d.Replica == id
		}
		if !by {
			return false
		}
	}
	return true
}

// restarts reports whether the targets of an event are started after it.
func (r *run) restarts(e *scenario.Event) bool {
	for _, id := range e.Targets {
		started := slices.ContainsFunc(r.s.Events, func(o scenario.Event) bool {
			return o.Do == scenario.Restart && slices.Contains(o.Targets, id) && o.Line > e.Line
		})
		if !started {
			return false
		}
	}
	return true
}

// members turns numbers into the protocol's.
func members(ids []int) []pbft.ReplicaID {
	out := make([]pbft.ReplicaID, len(ids))
	for i, id := range ids {
		out[i] = pbft.ReplicaID(id)
	}
	return out
}
