package processes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tagma/pbft/wire"
	"tagma/testnet/scenario"
)

// deed returns what does an event to processes, disks, clocks and clients.
func (r *run) deed(e *scenario.Event, a *act) func(context.Context) error {
	ids := numbers(e.Targets)
	switch e.Do {
	case scenario.Kill:
		return func(context.Context) error { return r.kill(ids) }
	case scenario.Restart, scenario.Start:
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
		return r.forgetting(e, a, wipe)
	case scenario.Unmount:
		return r.forgetting(e, a, unmount)
	case scenario.Rollback:
		return r.forgetting(e, a, rollback)
	case scenario.BitFlip:
		return r.forgetting(e, a, func(home string) error { return flipBit(home, r.s.Seed) })
	case scenario.LoseState:
		return r.whileStopped(ids, func(id int) error { return loseState(r.cluster.Home(id)) })
	case scenario.Mount:
		return r.whileStopped(ids, func(id int) error { return mount(r.cluster.Home(id)) })
	case scenario.Keep:
		return func(context.Context) error { return r.keep(ids) }
	case scenario.TornWrite:
		return r.whileStopped(ids, func(id int) error { return tearTurn(r.cluster.Home(id), r.s.Seed) })
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

// forgetting does something to the files of replicas that makes them forget what they signed. If they are started again, it
// has touched something only if they notice that (D8.3).
func (r *run) forgetting(e *scenario.Event, a *act, do func(home string) error) func(context.Context) error {
	ids := numbers(e.Targets)
	lives := make(map[int]string)
	if r.s.Restarts(e) {
		a.proof = func() bool {
			return !slices.ContainsFunc(ids, func(id int) bool { return !r.noticed(id, lives[id]) })
		}
	}
	return r.whileStopped(ids, func(id int) error {
		lives[id], r.struck[id] = lifeOf(r.cluster.Home(id)), true
		return do(r.cluster.Home(id))
	})
}

// noticed reports whether a replica says that it may have forgotten what it signed, or has begun a new life since.
func (r *run) noticed(id int, life string) bool {
	return r.forgotten(id) || !r.s.Lies(wire.ReplicaID(id)) && lifeOf(r.cluster.Home(id)) != life
}

// keep copies homes while nobody writes to them.
func (r *run) keep(ids []int) error {
	if err := r.cluster.Pause(ids...); err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, keep(r.cluster.Home(id)))
	}
	return errors.Join(append(errs, r.cluster.Resume(ids...))...)
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

// numbers turns the protocol's numbers into a process's.
func numbers(of []wire.ReplicaID) []int {
	out := make([]int, len(of))
	for i, id := range of {
		out[i] = int(id)
	}
	return out
}

// members turns numbers into the protocol's.
func members(ids []int) []wire.ReplicaID {
	out := make([]wire.ReplicaID, len(ids))
	for i, id := range ids {
		out[i] = wire.ReplicaID(id)
	}
	return out
}
