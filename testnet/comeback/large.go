package comeback

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/local"
	"tagma/testnet/play"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// The targets of the case large. With more keys than largeKeys the figures have no bounds.
const (
	largeKeys     = 1_000_000
	largeResident = 400 // MiB of the largest replica, without mapped files
	largeStart    = 10  // s
	largeSlower   = 2.0 // p99 during a checkpoint over p99 between two
	largeChanges  = 10_000.0

	largeCheckpoints = 8 // how many are watched
	// Time between two requests for reports: a fraction of the time that a checkpoint takes.
	spanEvery = 5 * time.Millisecond
)

// In the case large, K has its default value, and there are enough workers that batches change largeChanges keys between
// two checkpoints.
const (
	largeInterval = wire.DefaultCheckpointInterval
	largeWorkers  = 512
)

// large measures what a large state costs: memory, a start of all replicas after kill -9, and requests while checkpoints
// are taken.
func large(s *stage) {
	s.resident("memory when filled")
	s.checkpoints()
	s.resident("memory under load")
	s.do(scenario.Kill, everybody...)
	began := time.Now()
	s.do(scenario.Restart, everybody...)
	s.until("the replicas to be ready", everybody, func(v view) string { return local.Unwell(v, everybody) })
	s.target(Figure{Name: "all started after kill -9 in", Value: time.Since(began).Seconds(), Unit: "s", Timed: true}, largeStart)
	s.result.took("a write afterwards", s.serves(), 0)
	s.resident("memory after the start")
}

// target adds a figure, with a bound unless the state has more than largeKeys keys.
func (s *stage) target(f Figure, most float64) {
	if s.o.Keys <= largeKeys {
		f.AtMost = &most
	}
	s.result.add(f)
}

// resident adds how much memory the largest replica uses. There are two figures. Memory that the system can only swap
// out has a bound. The memory with mapped files, which are the store's tables, has no bound, because the system drops
// their pages when it needs the room.
func (s *stage) resident(name string) {
	var anonymous, all int64
	for _, r := range s.look(everybody...) {
		anonymous, all = max(anonymous, r.AnonymousBytes), max(all, r.ResidentBytes)
	}
	s.target(Figure{Name: name, Value: float64(anonymous) / (1 << 20), Unit: "MiB"}, largeResident)
	s.result.tell(name+", with mapped files", float64(all)/(1<<20), "MiB")
}

// shares are the loads that are tried in order, as shares of the saturation, until enough keys change between two
// checkpoints; 0: no limit. How many operations a batch has depends on load and machine, so it cannot be computed which
// load is enough.
var shares = []float64{0.5, 0.65, 0.8, 0}

// watched holds the writes and the checkpoints under one load.
type watched struct {
	share, changes float64 // the load as a share of the saturation; keys changed between two checkpoints
	spans          []span
	acks           []play.Ack
}

// enough calls watch with one share after the other, until enough keys change between two checkpoints.
func enough(watch func(share float64) watched) (w watched) {
	for _, w.share = range shares {
		if w = watch(w.share); w.changes >= largeChanges {
			break
		}
	}
	return w
}

// watch has clients write so many operations a second, and watches checkpoints.
func (s *stage) watch(saturation, share float64) watched {
	s.work(saturation * share)
	s.pass(time.Second) // batches become as large as they will be
	began, first := s.Now(), s.executed()
	spans, ended, batches := s.spans(largeCheckpoints), s.Now(), float64(s.executed()-first)
	acks := s.Work().Acks
	acks = play.After(acks[:len(acks)-len(play.After(acks, ended))], began)
	// A worker writes all of its keys before it writes one again, so each write changes another key.
	return watched{share, float64(len(acks)) * float64(largeInterval) / batches, spans, acks}
}

// checkpoints compares the latency of requests under way during a checkpoint with that of the others.
func (s *stage) checkpoints() {
	saturation := s.saturation()
	w := enough(func(share float64) watched { return s.watch(saturation, share) })
	s.rest()
	during, between := split(w.acks, w.spans)
	if len(during) == 0 || len(between) == 0 {
		s.late("%d writes were answered during checkpoints and %d between them", len(during), len(between))
	}
	d, b := report.Latencies(during), report.Latencies(between)
	s.result.tell("load/saturation", cmp.Or(w.share, 1), "")
	s.result.add(Figure{Name: "changes between two checkpoints", Value: w.changes, AtLeast: new(largeChanges), Timed: true})
	s.result.tell("a checkpoint takes", report.Round(mean(w.spans).Seconds()), "s")
	s.result.tell("p99 between checkpoints", b.P99, "ms")
	s.result.tell("p99 during checkpoints", d.P99, "ms")
	s.target(Figure{Name: "during/between", Value: d.P99 / b.P99, Timed: true}, largeSlower)
}

// span is the time from when the first replica has executed a checkpoint's last batch until all have the checkpoint stable.
type span struct{ from, to time.Duration }

// spans watches so many checkpoints.
func (s *stage) spans(n int) (seen []span) {
	const k = uint64(largeInterval)
	next := (s.executed()/k + 1) * k
	var at span
	s.every(spanEvery, "checkpoints under load", everybody, func(v view) string {
		switch now := s.Now(); {
		case at.from == 0 && v.executed() >= next:
			at.from = now
		case at.from > 0 && len(v) == replicas && v.stable() >= next:
			at.to = now
			seen, at = append(seen, at), span{}
			next = (v.executed()/k + 1) * k
		}
		if len(seen) < n {
			return fmt.Sprintf("%d of %d were taken", len(seen), n)
		}
		return ""
	})
	return seen
}

// stable is the lowest stable checkpoint that any replica names.
func (v view) stable() uint64 {
	least := ^uint64(0)
	for _, r := range v {
		least = min(least, r.StableCheckpoint)
	}
	return least
}

// split divides the latencies of requests into those during a checkpoint and all others.
func split(acks []play.Ack, spans []span) (during, between []time.Duration) {
	for _, a := range acks {
		if slices.ContainsFunc(spans, func(x span) bool { return a.At-a.Took < x.to && a.At > x.from }) {
			during = append(during, a.Took)
		} else {
			between = append(between, a.Took)
		}
	}
	return during, between
}

func mean(spans []span) (sum time.Duration) {
	for _, x := range spans {
		sum += x.to - x.from
	}
	return sum / time.Duration(max(1, len(spans)))
}
