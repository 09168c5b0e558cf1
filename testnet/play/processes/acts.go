package processes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tagma/pbft/wire"
	"tagma/testnet/local"
	"tagma/testnet/scenario"
)

// Do implements play.Cluster: it performs an event on processes, disks, clocks and clients.
func (c *Cluster) Do(ctx context.Context, e *scenario.Event) (later bool, err error) {
	if e.Any() {
		if err := c.running(numbers(e.Targets)); err != nil {
			return false, err
		}
		return true, c.local.Strike(ctx, moment(&e.Moment), numbers(e.Targets)...)
	}
	return false, c.do(ctx, e, numbers(e.Targets))
}

// moment converts a scenario's moment to the type that processes take.
func moment(m *scenario.Moment) local.Moment {
	switch {
	case m.BeforeDurable != 0:
		return local.Moment{When: local.BeforeDurable, Type: m.BeforeDurable}
	case m.BeforeSend != 0:
		return local.Moment{When: local.BeforeSend, Type: m.BeforeSend}
	case m.BeforeExecute != 0:
		return local.Moment{When: local.BeforeExecute, Seq: m.BeforeExecute}
	default:
		return local.Moment{When: local.AfterExecute, Seq: m.AfterExecute}
	}
}

// fell reports whether all targets of an event have ended, each at the moment for which the event waits.
func (c *Cluster) fell(ids []int) bool {
	for _, id := range ids {
		if c.local.Pid(id) != 0 {
			return false
		}
	}
	c.watch.set(down, ids...)
	c.watch.readJournals() // as after a kill
	return true
}

func (c *Cluster) do(ctx context.Context, e *scenario.Event, ids []int) error {
	home := c.local.Home
	switch e.Do {
	case scenario.Kill:
		err := c.running(ids)
		c.kill(ids)
		return err
	case scenario.Restart, scenario.Start:
		c.watch.set(up, ids...)
		return c.local.Start(ids...)
	case scenario.Pause:
		if err := c.running(ids); err != nil {
			return err
		}
		c.watch.set(halted, ids...)
		return c.local.Pause(ids...)
	case scenario.Resume:
		c.watch.set(up, ids...)
		return c.local.Resume(ids...)
	case scenario.ClockJump:
		return c.local.JumpClocks(ctx, e.By, ids...)
	case scenario.FlipState:
		if err := c.running(ids); err != nil {
			return err
		}
		c.flips[e] = make(map[int]int)
		for _, id := range ids {
			c.flips[e][id] = c.local.Counts(id).Flips
		}
		return c.local.FlipState(ctx, e.Key, ids...)
	case scenario.DiskFull:
		c.watch.damage(ids)
		return c.local.FillDisks(ctx, ids...)
	case scenario.Wipe:
		return c.forgetting(e, ids, Wipe)
	case scenario.Unmount:
		return c.forgetting(e, ids, unmount)
	case scenario.Rollback:
		return c.forgetting(e, ids, rollback)
	case scenario.BitFlip:
		if e.Part == scenario.PartStore {
			return c.whileStopped(ids, func(id int) error { return rotStore(home(id), c.s.Seed) })
		}
		return c.forgetting(e, ids, func(home string) error { return flipBit(home, c.s.Seed, &e.Place) })
	case scenario.LoseState:
		return c.whileStopped(ids, func(id int) error { return loseState(home(id)) })
	case scenario.Mount:
		return c.whileStopped(ids, func(id int) error { return mount(home(id)) })
	case scenario.TornWrite:
		return c.whileStopped(ids, func(id int) error { return tearTurn(home(id), c.s.Seed) })
	case scenario.Keep: // paused, the replica writes nothing
		err := c.local.Pause(ids...)
		if err == nil {
			err = each(ids, func(id int) error { return keep(home(id)) })
		}
		return errors.Join(err, c.local.Resume(ids...))
	case scenario.Backup:
		return c.backUp(ctx)
	case scenario.Submit:
		return c.load.submit(e.Submit)
	case scenario.StopClients, scenario.StartClients:
		c.load.pause(e.Do == scenario.StopClients)
		return nil
	default:
		return fmt.Errorf("%s is nothing that this engine can do to processes", e.Do)
	}
}

// running returns an error that names replicas that do not run. An event cannot be performed on them.
func (c *Cluster) running(ids []int) error {
	return each(ids, func(id int) error {
		if c.local.Pid(id) == 0 {
			return errors.New("it does not run")
		}
		return nil
	})
}

func each(ids []int, do func(id int) error) error {
	var errs []error
	for _, id := range ids {
		if err := do(id); err != nil {
			errs = append(errs, fmt.Errorf("replica %d: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (c *Cluster) kill(ids []int) {
	c.watch.set(down, ids...)
	c.local.Kill(ids...)
	c.watch.readJournals() // read the journals before a restart deletes segments, or an event damages the files
}

// whileStopped kills replicas, if they run, and then changes their files.
func (c *Cluster) whileStopped(ids []int, do func(id int) error) error {
	c.kill(ids)
	return each(ids, do)
}

// forgetting changes the files of replicas in such a way that the replicas forget what they signed.
func (c *Cluster) forgetting(e *scenario.Event, ids []int, do func(home string) error) error {
	c.lives[e] = make(map[int]string)
	c.watch.strike(ids)
	return c.whileStopped(ids, func(id int) error {
		c.lives[e][id] = lifeOf(c.local.Home(id))
		return do(c.local.Home(id))
	})
}

// happened reports whether an event had its effect. For a full disk, the replica must have ended. If the event makes a
// replica forget, the replica must have started again, and must have noticed its loss (D8.3) or begun a new life.
func (c *Cluster) happened(e *scenario.Event) bool {
	ids := numbers(e.Targets)
	switch {
	case e.Any():
		return c.fell(ids)
	case e.Do == scenario.DiskFull:
		return c.watch.ended(ids)
	case e.Do == scenario.FlipState:
		return !slices.ContainsFunc(ids, func(id int) bool { return c.local.Counts(id).Flips <= c.flips[e][id] })
	case !e.Forgets() || !c.s.Restarts(e):
		return true
	}
	return !slices.ContainsFunc(ids, func(id int) bool {
		newLife := !c.s.Lies(wire.ReplicaID(id)) && lifeOf(c.local.Home(id)) != c.lives[e][id]
		return !c.watch.forgotten(id) && !newLife
	})
}
