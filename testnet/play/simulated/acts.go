package simulated

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"tagma/pbft/wire"
	"tagma/testnet/check"
	"tagma/testnet/links"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// strikes reports whether an event waits for a moment within a replica.
func strikes(e *scenario.Event) bool {
	return e.Any() || e.Do == scenario.TornWrite || e.Do == scenario.FlipState
}

// Do implements play.Cluster.
func (c *cluster) Do(_ context.Context, e *scenario.Event) (later bool, err error) {
	switch e.Do {
	case scenario.Submit:
		for _, o := range e.Submit {
			op := o.Op
			if op.Kind == check.Revert && op.To != "" {
				mark := c.marks[op.To]
				if mark == nil || !mark.Known {
					return false, scenario.NoMark(op.To)
				}
				op.Amount = uint64(mark.Seq)
			}
			c.submitted++
			done := c.w.Perform(o.Client, &op)
			if op.Kind == check.Put && op.To != "" {
				c.marks[op.To] = done
			}
		}
		return false, nil
	case scenario.StopClients, scenario.StartClients:
		c.resting = e.Do == scenario.StopClients
		c.w.Rest(c.resting)
		return false, nil
	}
	c.lapses[e], c.flips[e] = nil, nil
	for _, id := range e.Targets {
		c.lapses[e] = append(c.lapses[e], c.w.Lapses(id))
		c.flips[e] = append(c.flips[e], c.w.Flips(id))
		if in, up := c.w.Inspect(id); up {
			c.before[id] = in
		}
		if err := c.do(e, id); errors.Is(err, errNowhere) {
			return false, err
		} else if err != nil {
			play.Say(c.show, c.w.Now(), play.Note, "replica%d does not start: %v", id, err)
		}
	}
	return strikes(e), nil
}

// errNowhere says that nothing is written where an event should flip a bit.
var errNowhere = errors.New("nothing is written there on the disk")

// flipBit flips a bit on the disk of a replica that is down.
func (c *cluster) flipBit(e *scenario.Event, id wire.ReplicaID, chance *rand.Rand) bool {
	switch {
	case e.Part == scenario.PartStore:
		return c.w.RotStore(id, chance)
	case e.Place != links.Place{}:
		return c.w.Disk(id).FlipAt(func(bytes int) (int, byte, bool) { return e.Place.In(bytes, chance) })
	default:
		return c.w.Disk(id).FlipBit(chance)
	}
}

// do performs an event on one replica. Its error is errNowhere, or says why the replica does not start.
func (c *cluster) do(e *scenario.Event, id wire.ReplicaID) error {
	w, seed := c.w, c.s.Seed
	await := func(t wire.Type, when sim.Moment, loss disk.Loss) {
		w.CrashAt(id, t, when, loss, func() { c.struck[e]++ })
	}
	down := func(then func(wire.ReplicaID)) {
		w.Crash(id, disk.Kill)
		then(id)
	}
	switch e.Do {
	case scenario.Kill:
		execute := func(seq wire.Seq, when sim.Moment) {
			w.CrashAtBatch(id, seq, when, disk.Kill, func() { c.struck[e]++ })
		}
		switch {
		case e.BeforeDurable != 0:
			await(e.BeforeDurable, sim.BeforeDurable, disk.Kill)
		case e.BeforeSend != 0:
			await(e.BeforeSend, sim.BeforeSend, disk.Kill)
		case e.AfterFirstSend != 0:
			await(e.AfterFirstSend, sim.AfterFirstSend, disk.Kill)
		case e.BeforeExecute != 0:
			execute(e.BeforeExecute, sim.BeforeExecute)
		case e.AfterExecute != 0:
			execute(e.AfterExecute, sim.AfterExecute)
		default:
			w.Crash(id, disk.Kill)
		}
	case scenario.TornWrite:
		await(wire.TypeCommit, sim.BeforeDurable, disk.Tail)
	case scenario.LoseUnsynced:
		loss := disk.All
		if e.Hole {
			loss = disk.Holes
		}
		w.Crash(id, loss)
	case scenario.Restart, scenario.Start:
		w.Disk(id).Fill(false)
		w.Disk(id).FailAfter(0, nil)
		return w.Restart(id)
	case scenario.Pause:
		w.Pause(id)
	case scenario.Resume:
		w.Resume(id)
	case scenario.Wipe:
		down(w.Wipe)
	case scenario.LoseState:
		down(w.LoseState)
	case scenario.Unmount:
		down(w.Unmount)
	case scenario.Mount:
		down(w.Mount)
	case scenario.Keep:
		w.Keep(id)
	case scenario.Rollback:
		down(w.PutBack)
	case scenario.BitFlip:
		w.Crash(id, disk.Kill)
		if !c.flipBit(e, id, rand.New(rand.NewPCG(seed, uint64(e.Line)))) {
			return fmt.Errorf("%w of replica %d", errNowhere, id)
		}
	case scenario.DiskFull:
		w.Condemn(id)
		w.Disk(id).Fill(true)
	case scenario.IOError:
		w.Condemn(id)
		w.Disk(id).FailAfter(0, disk.ErrIO)
	case scenario.FlipState:
		w.FlipState(id, e.Key)
	case scenario.ClockJump:
		w.ClockJump(id, e.By)
	default:
		panic(fmt.Sprintf("simulated: the scenario was not refused: %s", e.Do))
	}
	return nil
}
