package simulated

import (
	"fmt"
	"math/rand/v2"

	"tagma/pbft/wire"
	"tagma/testnet/play"
	"tagma/testnet/scenario"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// strikes reports whether an event waits for a moment within a replica.
func (r *run) strikes(e *scenario.Event) bool { return e.BeforeSend != 0 || e.Do == scenario.TornWrite }

// strike does something to one replica.
func (r *run) strike(e *scenario.Event, id wire.ReplicaID, i int) {
	w := r.w
	if in, up := w.Inspect(id); up {
		r.seen[id] = in
	}
	switch e.Do {
	case scenario.Kill:
		if e.BeforeSend != 0 {
			r.await(id, e.BeforeSend, sim.BeforeSend, disk.Kill, i)
			return
		}
		w.Crash(id, disk.Kill)
	case scenario.TornWrite:
		r.await(id, wire.TypeCommit, sim.BeforeDurable, disk.Tail, i)
	case scenario.LoseUnsynced:
		loss := disk.All
		if e.Hole {
			loss = disk.Holes
		}
		w.Crash(id, loss)
	case scenario.Restart, scenario.Start:
		w.Disk(id).Fill(false)
		w.Disk(id).FailAfter(0, nil)
		if err := w.Restart(id); err != nil {
			r.show.Happened(play.Happening{At: w.Now(), Kind: play.Note, What: fmt.Sprintf("replica%d does not start: %v", id, err)})
		}
	case scenario.Pause:
		w.Pause(id)
	case scenario.Resume:
		w.Resume(id)
	case scenario.Wipe:
		w.Crash(id, disk.Kill)
		w.Wipe(id)
	case scenario.LoseState:
		w.Crash(id, disk.Kill)
		w.LoseState(id)
	case scenario.Unmount:
		w.Crash(id, disk.Kill)
		w.Unmount(id)
	case scenario.Mount:
		w.Crash(id, disk.Kill)
		w.Mount(id)
	case scenario.Keep:
		w.Keep(id)
	case scenario.Rollback:
		w.Crash(id, disk.Kill)
		w.PutBack(id)
	case scenario.BitFlip:
		w.Crash(id, disk.Kill)
		w.Disk(id).FlipBit(rand.New(rand.NewPCG(r.s.Seed, uint64(e.Line))))
	case scenario.DiskFull:
		w.Condemn(id)
		w.Disk(id).Fill(true)
	case scenario.IOError:
		w.Condemn(id)
		w.Disk(id).FailAfter(0, disk.ErrIO)
	case scenario.ClockJump:
		w.ClockJump(id, e.By)
	default:
		panic("simulated: the scenario was not refused: " + e.Do)
	}
}

// await has a replica die at a moment in the life of a message, and come back so much later if the event says so.
func (r *run) await(id wire.ReplicaID, t wire.Type, when sim.Moment, loss disk.Loss, i int) {
	a := r.actOf(i)
	a.waits = true
	r.w.CrashAt(id, t, when, loss, func() {
		a.waits = false
		r.happened(a)
		if i+1 < len(r.s.Events) && r.s.Events[i+1].Undoes {
			back := r.actOf(i + 1)
			r.arm(back, r.w.Now()+back.due-a.due+instant)
		}
	})
}

// actOf is the act of an event.
func (r *run) actOf(i int) *act {
	first := len(r.acts) - len(r.s.Scripts) - len(r.s.Events)
	return r.acts[first+i]
}
