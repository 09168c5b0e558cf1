package simulated

import (
	"context"
	"fmt"
	"math/rand/v2"

	"tagma/pbft/wire"
	"tagma/testnet/history"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// strikes reports whether an event waits for a moment within a replica.
func strikes(e *scenario.Event) bool { return e.BeforeSend != 0 || e.Do == scenario.TornWrite }

// Do implements play.Cluster.
func (c *cluster) Do(_ context.Context, e *scenario.Event) (later bool, err error) {
	switch e.Do {
	case scenario.Submit:
		for _, o := range e.Submit {
			c.submitted++
			c.w.Submit(o.Client, [][]byte{history.Encode(&o.Op)}, false)
		}
		return false, nil
	case scenario.StopClients, scenario.StartClients:
		c.resting = e.Do == scenario.StopClients
		c.w.Rest(c.resting)
		return false, nil
	}
	c.lapses[e] = nil
	for _, id := range e.Targets {
		c.lapses[e] = append(c.lapses[e], c.w.Lapses(id))
		if in, up := c.w.Inspect(id); up {
			c.before[id] = in
		}
		if err := c.do(e, id); err != nil {
			play.Say(c.show, c.w.Now(), play.Note, "replica%d does not start: %v", id, err)
		}
	}
	return strikes(e), nil
}

// do does something to one replica. The error says why it does not start.
func (c *cluster) do(e *scenario.Event, id wire.ReplicaID) error {
	w, seed := c.w, c.s.Seed
	await := func(t wire.Type, when sim.Moment, loss disk.Loss) {
		w.CrashAt(id, t, when, loss, func() { c.struck[e] = true })
	}
	down := func(then func(wire.ReplicaID)) {
		w.Crash(id, disk.Kill)
		then(id)
	}
	switch e.Do {
	case scenario.Kill:
		if e.BeforeSend != 0 {
			await(e.BeforeSend, sim.BeforeSend, disk.Kill)
		} else {
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
		w.Disk(id).FlipBit(rand.New(rand.NewPCG(seed, uint64(e.Line))))
	case scenario.DiskFull:
		w.Condemn(id)
		w.Disk(id).Fill(true)
	case scenario.IOError:
		w.Condemn(id)
		w.Disk(id).FailAfter(0, disk.ErrIO)
	case scenario.ClockJump:
		w.ClockJump(id, e.By)
	default:
		panic(fmt.Sprintf("simulated: the scenario was not refused: %s", e.Do))
	}
	return nil
}
