package sim

import (
	"errors"
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Patience of the liveness mode: within how many of the longest view timeouts everything must have converged, and how many
// views more than those before the faults ended may be entered (V9).
const (
	convergeWithin = 24
	extraViews     = 4
)

// converge is the end of a run whose faults have ended: every client is answered, and every correct replica that is not
// cut off has executed the same.
func (x *plot) converge() {
	w := x.w
	limit := convergeWithin * x.p.MaxViewTimeout
	err := w.RunUntilTrue(limit, "convergence", x.converged)
	var broken *Violation
	switch {
	case errors.As(err, &broken):
	case err != nil:
		w.fail("I15", x.laggard(), "not converged %v after the faults have ended: %s", limit, w.Describe())
	default:
		x.views()
		if w.monitor != nil {
			w.monitor.Converged(x.healthy()...)
			w.judge()
		}
	}
}

// patience judges at the end of the workload whether somebody starves beside others that are served (T1): after the faults
// every client is answered within the time that convergence may take.
func (x *plot) patience() {
	if x.p.Heal == 0 {
		return
	}
	limit := convergeWithin * x.p.MaxViewTimeout
	x.w.At(x.p.Duration, func() {
		for _, c := range x.w.clients {
			for _, o := range c.owed() {
				if waited := x.w.now - max(o.Invoked, x.p.Heal); waited > limit {
					x.w.fail("I15", 0, "client %d has waited for its request %d for %v, and the faults ended before", c.index, o.ID.T, waited)
				}
			}
		}
	})
}

// healthy lists the replicas of which everything is expected.
func (x *plot) healthy() (ids []wire.ReplicaID) {
	for id := range wire.ReplicaID(x.p.Replicas) {
		if (x.w.Correct(id) || slices.Contains(x.p.Forgetful, id)) && !slices.Contains(x.p.Cut, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (x *plot) converged() bool {
	for _, c := range x.w.clients {
		if len(c.owed()) > 0 {
			return false
		}
	}
	first := port.Position{}
	for i, id := range x.healthy() {
		n := x.w.nodes[id]
		if !n.up || n.replica == nil {
			return false
		}
		at := n.replica.Position()
		if i == 0 {
			first = at
		}
		if at.Executed != first.Executed || n.exec.Service.Executed() != uint64(at.Executed) || at.View != first.View || !at.Active {
			return false
		}
	}
	return true
}

// laggard is a replica that keeps the others from convergence.
func (x *plot) laggard() (who wire.ReplicaID) {
	least := ^wire.Seq(0)
	for _, id := range x.healthy() {
		if n := x.w.nodes[id]; !n.up || n.replica == nil {
			return id
		}
		if at := x.w.nodes[id].replica.Position(); at.Executed < least {
			least, who = at.Executed, id
		}
	}
	return who
}

// highest is the highest view of a replica of which everything is expected.
func (x *plot) highest() (v wire.View) {
	for _, id := range x.healthy() {
		if n := x.w.nodes[id]; n.up && n.replica != nil {
			v = max(v, n.replica.Position().View)
		}
	}
	return v
}

// views judges how many views were entered after the faults had ended. While a faulty replica goes on there is no bound.
func (x *plot) views() {
	if len(x.p.Faulty())+len(x.p.Cut) > 0 {
		return
	}
	if now := x.highest(); now > x.healed+extraViews {
		x.w.fail("I15", 0, "view %d, and the faults had ended in view %d", now, x.healed)
	}
}
