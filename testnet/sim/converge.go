package sim

import (
	"errors"
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Bounds of liveness (V9). After the faults have ended, everything must converge within a number of the longest view
// timeouts, and only so many views may be entered.
const (
	convergeWithin = 24
	extraViews     = 4
)

// converge judges the end of a run whose faults have ended: every client must be answered, and all correct replicas that
// are not cut off must have executed the same batches.
func (x *plot) converge() {
	w := x.w
	limit := convergeWithin * x.p.MaxViewTimeout
	err := w.RunUntilTrue(limit, "convergence", func() bool { return x.converged() || x.haltIsSaid() })
	var broken *Violation
	if err != nil && !errors.As(err, &broken) {
		if view, apart := x.apart(); apart {
			err = x.rejoin(view, limit)
		}
	}
	switch {
	case errors.As(err, &broken):
	case x.beyond(): // no progress was promised for this plan, and it did not fork
		if lost := x.knowable(); len(lost) > x.p.Replicas-w.cfg.Quorum() && !x.haltIsSaid() && !x.converged() {
			w.fail("D8.14", lost[0], "replicas %v lost votes at once, and none of them says that the cluster is halted: %s", lost, w.Describe())
		}
	case err != nil:
		w.fail("I15", x.standing().least, "not converged %v after the faults have ended: %s", limit, w.Describe())
	default:
		x.views()
		x.repaired()
		if w.monitor != nil {
			w.monitor.Converged(x.healthy()...)
			w.judge()
		}
	}
}

// repaired judges the replicas whose state was damaged (K2). It waits for the time of two searches for damage and of one
// transfer. After that, no damage may be left.
func (x *plot) repaired() {
	spoilt := slices.DeleteFunc(x.healthy(), func(id wire.ReplicaID) bool {
		return !slices.ContainsFunc(x.p.Faults, func(f Fault) bool { return f.Replica == id && (f.Do == StateFlip || f.Do == StoreRot) })
	})
	if len(spoilt) == 0 || x.w.RunUntil(x.w.now+2*scrubBeats*x.w.nodes[0].tick()+convergeWithin*x.p.ViewTimeout) != nil {
		return
	}
	for _, id := range spoilt {
		x.w.nodes[id].mustBeWhole()
	}
}

// mustBeWhole checks that no damage of the state is left.
func (n *node) mustBeWhole() {
	if !n.up || n.replica == nil || n.replica.Inspect().Diverged {
		n.w.fail("K2", n.id, "its state was damaged, and it is not back: %s", n.w.Describe())
		return
	}
	if found, err := n.searched(); err == nil && found.Damaged() {
		n.w.fail("K2", n.id, "its store is still damaged: %+v", found)
	}
}

// unclean lists the replicas that do not vote because of an unclean stop (D8.14).
func (x *plot) unclean() (ids []wire.ReplicaID) {
	for id := range wire.ReplicaID(x.p.Replicas) {
		if in, up := x.w.Inspect(id); up && in.Unclean {
			ids = append(ids, id)
		}
	}
	return ids
}

// knowable lists the unclean replicas of which the others can know. Such a replica says in its answers that it lost
// votes. If it is cut off, it receives no question, or no replica receives its answer.
func (x *plot) knowable() []wire.ReplicaID {
	return slices.DeleteFunc(x.unclean(), func(id wire.ReplicaID) bool { return slices.Contains(x.p.Cut, id) })
}

// beyond reports whether there are unclean replicas after the faults have ended, and more than f replicas are unclean,
// faulty or cut off.
func (x *plot) beyond() bool {
	lost := x.unclean()
	all := slices.Concat(lost, x.p.Faulty(), x.p.Cut)
	slices.Sort(all)
	return len(lost) > 0 && len(slices.Compact(all)) > x.f()
}

func (x *plot) f() int { return x.p.Masks() }

// haltIsSaid reports whether a correct replica reports that too many replicas lost votes at once.
func (x *plot) haltIsSaid() bool {
	return slices.ContainsFunc(x.unclean(), func(id wire.ReplicaID) bool {
		in, _ := x.w.Inspect(id)
		return in.Halted && x.w.Correct(id)
	})
}

// patience checks that no client waits too long while others are served (T1). After the faults, every client must be
// answered within the time in which everything must converge.
func (x *plot) patience() {
	if x.beyond() {
		return
	}
	for _, c := range x.w.clients {
		for _, o := range c.owed() {
			if waited := x.w.now - max(o.Invoked, x.p.Heal); waited > convergeWithin*x.p.MaxViewTimeout {
				x.w.fail("I15", 0, "client %d has waited for its request %d for %v, and the faults ended before", c.index, o.ID.T, waited)
			}
		}
	}
}

// healthy lists the replicas that must converge: those that are correct or forgetful, and are not cut off.
func (x *plot) healthy() (ids []wire.ReplicaID) {
	for id := range wire.ReplicaID(x.p.Replicas) {
		if (x.w.Correct(id) || slices.Contains(x.p.Forgetful, id)) && !slices.Contains(x.p.Cut, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// standing compares the healthy replicas.
type standing struct {
	alike    bool           // all run and have executed the same batches, and those that take part are in one view
	view     wire.View      // the view of those that take part
	executed wire.Seq       // how far the replica has executed that has executed least
	out      int            // how many replicas have left that view for a higher one
	least    wire.ReplicaID // a replica that is down, or the one that has executed least
}

func (x *plot) standing() standing {
	var s standing
	var first, least port.Position
	views := map[wire.View]bool{}
	same := true
	for i, id := range x.healthy() {
		n := x.w.nodes[id]
		if !n.up || n.replica == nil {
			return standing{least: id}
		}
		at := n.replica.Position()
		if i == 0 {
			first = at
		}
		if i == 0 || at.Executed < least.Executed {
			s.least, least = id, at
		}
		if at.Active {
			s.view, views[at.View] = at.View, true
		} else {
			s.out++
		}
		same = same && at.Executed == first.Executed && n.exec.Service.Executed() == uint64(at.Executed)
	}
	s.alike, s.executed = same && len(views) == 1, least.Executed
	return s
}

// converged reports whether every client is answered and all healthy replicas agree and take part. If clients believe a
// single reply (F3), that reply may come from a replica that is cut off, before the healthy ones have executed the
// operation; then it waits for the healthy ones as well.
func (x *plot) converged() bool {
	s := x.standing()
	return x.served() && s.alike && s.out == 0 && s.executed >= x.w.answered
}

// apart reports whether everything has converged except that at most f replicas have left the view. The Suspects by
// which they left do not count any more, so the others stay in the view as long as it serves (V7, docs/adr/0029). The
// next view change brings them together again. For that, the others must hold the ViewChanges of these replicas, which
// is checked as well.
func (x *plot) apart() (view wire.View, apart bool) {
	s := x.standing()
	if !x.served() || !s.alike || s.out == 0 || s.out > x.f() {
		return 0, false
	}
	for _, id := range x.healthy() {
		held := x.w.nodes[id].replica.Waits().ViewChanges
		for _, left := range x.healthy() {
			if !x.w.nodes[left].replica.Position().Active && !slices.Contains(held, left) {
				return 0, false
			}
		}
	}
	return s.view, true
}

func (x *plot) served() bool {
	return !slices.ContainsFunc(x.w.clients, func(c *client) bool { return len(c.owed()) > 0 })
}

// rejoin causes the next view change: it pauses the primary of the view until all others have left the view, and then
// resumes it. After that, all must converge.
func (x *plot) rejoin(view wire.View, limit time.Duration) error {
	w := x.w
	primary := w.cfg.Primary(view)
	w.Pause(primary)
	err := w.RunUntilTrue(limit, "a view change, the primary being silent", func() bool {
		return !slices.ContainsFunc(x.healthy(), func(id wire.ReplicaID) bool {
			in, up := w.Inspect(id)
			return id != primary && up && in.Active && in.View == view
		})
	})
	w.Resume(primary)
	if x.healed = x.highest(); err != nil {
		return err
	}
	return w.RunUntilTrue(limit, "convergence after a view change", x.converged)
}

// highest returns the highest view of a healthy replica.
func (x *plot) highest() (v wire.View) {
	for _, id := range x.healthy() {
		if n := x.w.nodes[id]; n.up && n.replica != nil {
			v = max(v, n.replica.Position().View)
		}
	}
	return v
}

// views checks how many views were entered after the faults had ended. If there are faulty replicas, or ones that are
// cut off, there is no bound.
func (x *plot) views() {
	if len(x.p.Faulty())+len(x.p.Cut) > 0 {
		return
	}
	if now := x.highest(); now > x.healed+extraViews {
		x.w.fail("I15", 0, "view %d, and the faults had ended in view %d", now, x.healed)
	}
}
