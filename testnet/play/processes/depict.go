package processes

import (
	"context"
	"time"

	"tagma/testnet/observe"
	"tagma/testnet/play"
)

// depict shows how everything is, again and again.
func (r *run) depict(ctx context.Context) {
	ticker := time.NewTicker(observe.ReportsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.show.State(r.picture())
		}
	}
}

func (r *run) picture() play.State {
	s := play.State{At: r.since(), Goal: r.s.Workload.Operations, End: r.s.Workload.Duration}
	r.mu.Lock()
	l := r.load
	r.mu.Unlock()
	if l != nil && s.At > 0 {
		s.Acknowledged, _ = l.progress()
		s.OpsPerSecond = l.lately()
	}
	for id := range r.s.Replicas {
		last, age, _, _ := r.watch.Last(id)
		is := r.conditionOf(id)
		x := play.ReplicaState{
			ID: id, Role: r.role(id), Up: is == up && age < time.Second, View: last.View, Active: last.Active,
			Primary: last.Primary == id, Executed: last.Executed, Stable: last.StableCheckpoint, Health: last.Health,
		}
		switch {
		case is != up:
			x.Health = string(is)
		case !x.Up:
			x.Health = "does not answer"
		}
		s.Replicas = append(s.Replicas, x)
	}
	return s
}

func (r *run) conditionOf(id int) condition {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state[id]
}
